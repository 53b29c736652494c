// The page of a ticket: the composer with its drafts and files, the conversation that grows, and who else is here.
const {ask, say} = window.allswell;
const head = document.querySelector('[data-ticket]');
if (!head) return;

const conversation = document.getElementById('conversation');
const story = document.getElementById('story');
const composer = document.getElementById('composer');
const isAtEnd = () => conversation.scrollHeight - conversation.scrollTop - conversation.clientHeight < 80;
const toEnd = () => { conversation.scrollTop = conversation.scrollHeight; };
if (!location.hash) toEnd();

// the way back leads to the view one came from
const back = document.querySelector('[data-back]');
try {
  const from = document.referrer && new URL(document.referrer);
  if (from && from.origin === location.origin && from.pathname.startsWith('/desk/')) sessionStorage.setItem('allswell.view', from.pathname + from.search);
  back.href = sessionStorage.getItem('allswell.view') ?? back.href;
} catch { /* private window */ }

const cards = ['paging', 'monitoring'];
// live: what is new is appended, what changed is exchanged; nothing scrolls by itself unless one is at the end
const refresh = async () => {
  const answer = await fetch(location.pathname, {credentials: 'same-origin'});
  if (!answer.ok || answer.redirected) return;
  const came = new DOMParser().parseFromString(await answer.text(), 'text/html');
  const wasAtEnd = isAtEnd();
  for (const id of cards) { // they come by themselves, below
    const mine = document.getElementById(id), next = came.getElementById(id);
    if (mine && next) { next.innerHTML = mine.innerHTML; next.hidden = mine.hidden; }
  }
  let added = 0;
  for (const next of came.querySelectorAll('#story>.ev')) {
    const mine = document.getElementById(next.id);
    if (!mine) { story.append(next); added += 1; } else if (mine.innerHTML !== next.innerHTML) mine.replaceChildren(...next.childNodes);
  }
  for (const id of ['facts', 'side']) {
    const mine = document.getElementById(id), next = came.getElementById(id);
    if (mine && next && mine.innerHTML !== next.innerHTML && !mine.contains(document.activeElement)) mine.innerHTML = next.innerHTML;
  }
  const version = came.querySelector('[data-ticket]')?.dataset.version;
  if (version) { head.dataset.version = version; for (const field of document.querySelectorAll('header input[name=version]')) field.value = version; }
  if (added && wasAtEnd) toEnd(); else if (added) offer(added);
  warn();
  loadCards();
};
// who is called for it, and what monitoring says, ask more of the server than the rest of the page, so they come after it
const loadCard = async id => {
  const card = document.getElementById(id)?.dataset.card;
  if (!card) return;
  const answer = await fetch(card, {credentials: 'same-origin', headers: {'HX-Request': 'true'}}).catch(() => null);
  const mine = document.getElementById(id);
  if (!answer?.ok || !mine || mine.contains(document.activeElement)) return;
  mine.innerHTML = await answer.text();
  mine.hidden = !mine.firstElementChild;
  document.dispatchEvent(new CustomEvent('allswell:clocks'));
};
const loadCards = () => cards.forEach(loadCard);
loadCards();
let newer = null;
const offer = added => {
  newer?.remove();
  newer = Object.assign(document.createElement('button'), {type: 'button', className: 'btn sm acc-c newer', textContent: (conversation.dataset.newer ?? '{n} new').replace('{n}', added)});
  newer.onclick = () => { toEnd(); newer.remove(); };
  conversation.append(newer);
};
document.addEventListener('allswell:changed', refresh);

if (!composer) return;
const box = composer.elements.body;
const state = document.getElementById('draft-state');
const place = () => composer.elements.place.value;
const key = which => `allswell.draft.${document.body.dataset.me}.${head.dataset.ticket}.${which}`;
const keep = (which, text) => { try { text ? localStorage.setItem(key(which), text) : localStorage.removeItem(key(which)); } catch { /* private window */ } };
const kept = which => { try { return localStorage.getItem(key(which)) ?? ''; } catch { return ''; } };

const grow = () => { box.rows = Math.max(3, Math.min(14, box.value.split('\n').length + 1)); };
let now = place(), timer = null, sent = false;
const onTheWay = new Set(); // files being sent
const texts = {reply: box.dataset.reply || kept('reply'), note: box.dataset.note || kept('note')};
if (!box.value) box.value = texts[now] ?? '';
grow();
composer.addEventListener('change', event => {
  if (event.target.name !== 'place') return;
  texts[now] = box.value;
  now = place();
  box.value = texts[now] ?? '';
  grow();
  box.focus();
  presence(true);
});
const save = async () => {
  const body = new FormData();
  body.append('place', now);
  body.append('body', box.value);
  const answer = await ask(composer.dataset.draft, {method: 'POST', body, headers: {Accept: 'application/json'}}).catch(() => null);
  if (answer?.ok) state.textContent = composer.dataset.saved ?? state.textContent;
};
box.addEventListener('input', () => {
  grow();
  keep(now, box.value);
  clearTimeout(timer);
  timer = setTimeout(save, 1200);
  presence();
});
composer.addEventListener('submit', event => {
  if (sent) { event.preventDefault(); return; }
  if (onTheWay.size) { // a message goes when its files have arrived, not without them
    event.preventDefault();
    const button = event.submitter;
    Promise.all(onTheWay).then(arrived => { if (!arrived.includes(false)) composer.requestSubmit(button); });
    return;
  }
  sent = true;
  clearTimeout(timer);
  keep(now, '');
});
addEventListener('pageshow', () => { sent = false; });

const write = which => {
  const radio = [...composer.querySelectorAll('input[name=place]')].find(one => one.value === which);
  if (!radio) return;
  composer.classList.remove('only-wide');
  composer.classList.add('open');
  if (!radio.checked) radio.click();
  box.focus();
};
// on a phone the composer lies over the conversation until one goes back to reading; what is written stays a draft
conversation.addEventListener('pointerdown', () => { composer.classList.remove('open'); composer.classList.add('only-wide'); });
document.querySelector('[data-open-composer]')?.addEventListener('click', () => write('reply'));
addEventListener('keydown', event => {
  if (document.body.dataset.keys !== 'on' || window.allswell.isTyping(event) || event.metaKey || event.ctrlKey || event.altKey || document.querySelector('dialog[open]')) return;
  const which = {r: 'reply', n: 'note'}[event.key.toLowerCase()];
  if (which) { event.preventDefault(); write(which); }
});
box.addEventListener('keydown', event => { if (event.key === 'Escape') box.blur(); });

// files: chosen, dropped or pasted; each is sent at once and its token goes with the message
const uploads = document.getElementById('uploads');
const send = file => {
  const upload = arrive(file).finally(() => onTheWay.delete(upload));
  onTheWay.add(upload);
};
const arrive = async file => { // whether it arrived
  const chip = Object.assign(document.createElement('span'), {className: 'file', textContent: `${file.name} …`});
  uploads.append(chip);
  const body = new FormData();
  body.append('file', file, file.name || 'pasted.png');
  const answer = await ask(composer.dataset.upload, {method: 'POST', body, headers: {Accept: 'application/json'}}).catch(() => null);
  if (!answer?.ok) {
    chip.remove();
    const problem = await answer?.json().catch(() => null);
    say(problem?.message ?? file.name, true);
    return false;
  }
  const {token, name} = await answer.json();
  chip.textContent = name;
  const drop = Object.assign(document.createElement('button'), {type: 'button', className: 'bare', textContent: '×'});
  drop.setAttribute('aria-label', `${composer.dataset.drop ?? 'Remove'} ${name}`);
  drop.onclick = () => chip.remove();
  chip.append(drop, Object.assign(document.createElement('input'), {type: 'hidden', name: 'kept', value: token}));
  return true;
};
if (composer.dataset.upload) {
  composer.elements.files?.addEventListener('change', event => { [...event.target.files].forEach(send); event.target.value = ''; });
  box.addEventListener('paste', event => { if (event.clipboardData.files.length) { event.preventDefault(); [...event.clipboardData.files].forEach(send); } });
  composer.addEventListener('dragover', event => event.preventDefault());
  composer.addEventListener('drop', event => { if (event.dataTransfer.files.length) { event.preventDefault(); [...event.dataTransfer.files].forEach(send); } });
}

// who else is here
const warn = () => {
  const other = document.querySelector('#visitors .writing');
  document.getElementById('also-writing').textContent = other ? other.textContent.trim() : '';
};
let told = 0;
const presence = (at_once = false) => {
  if (!composer.dataset.presence || document.hidden || (!at_once && Date.now() - told < 8000)) return;
  told = Date.now();
  const body = new FormData();
  body.append('writing', box.value.trim() && document.activeElement === box ? now : '');
  ask(composer.dataset.presence, {method: 'POST', body, headers: {Accept: 'text/html'}})
    .then(answer => answer.ok ? answer.text() : null)
    .then(html => { if (html !== null && document.getElementById('visitors')) { document.getElementById('visitors').innerHTML = html; warn(); } })
    .catch(() => {});
};
presence(true);
setInterval(() => presence(true), 20000);
warn();
