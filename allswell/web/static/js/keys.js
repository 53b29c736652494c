// One key, one act. Single keys work outside fields and dialogs only, and a person can turn them off (WCAG 2.1.4).
const {isTyping} = window.allswell;
const isOn = () => document.body.dataset.keys === 'on';
let gone = 0; // when G was pressed

const places = {d: '/desk/', o: '/oncall/', s: '/services/', p: '/people/', t: '/desk/triage', n: '/profile/notices', a: '/desk/all', r: '/reports'};

addEventListener('keydown', event => {
  if ((event.metaKey || event.ctrlKey) && event.key === 'Enter') {
    const form = event.target.closest('form');
    if (form && event.target.tagName === 'TEXTAREA') {
      event.preventDefault();
      const button = [...form.querySelectorAll('button:not([type=button])')].filter(one => one.offsetParent).pop();
      form.requestSubmit(button);
    }
    return;
  }
  // [ and ] are typed with AltGr or Option on many keyboards
  const isBracket = '[]'.includes(event.key) && event.altKey;
  if (!isOn() || isTyping(event) || event.metaKey || !isBracket && (event.ctrlKey || event.altKey) || document.querySelector('dialog[open]')) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (key === 'g') { gone = Date.now(); return; }
  if (Date.now() - gone < 1200 && places[key]) { event.preventDefault(); gone = 0; location.assign(places[key]); return; }
  gone = 0;
  if (key === '?') { event.preventDefault(); document.dispatchEvent(new CustomEvent('allswell:keys')); return; }
  if (document.querySelector('[data-queue]') && ['a', 'e'].includes(key)) return; // the queue knows which row is meant
  const target = [...document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)].find(one => one.offsetParent || one.closest('details'));
  if (target) { event.preventDefault(); target.click(); }
});

document.addEventListener('allswell:keys', () => {
  const sheet = document.getElementById('keys');
  if (sheet && !sheet.open) sheet.showModal();
});
