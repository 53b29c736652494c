// A long form of the desk keeps what was typed in this browser until it is sent, or thrown away.
const form = document.querySelector('form[data-keep]');
const prefix = `allswell.draft.${document.body.dataset.me}.form.`;
const SENT = 'allswell.sent';
try {
  const sent = sessionStorage.getItem(SENT);
  if (sent) { // what was sent came back as a form when something was wrong with it, else it has arrived
    sessionStorage.removeItem(SENT);
    if (form?.dataset.keep !== sent) localStorage.removeItem(prefix + sent);
  }
} catch { /* private window */ }
if (!form) return;

const key = prefix + form.dataset.keep;
const fields = () => [...form.elements].filter(field => field.name && !/^(hidden|file|submit)$/.test(field.type) || field.name === 'requester_id');
const typed = () => [...form.querySelectorAll('input:not([type=radio]):not([type=checkbox]):not([type=hidden]),textarea')].some(field => field.value.trim());
const save = () => {
  const values = {};
  for (const field of fields())
    if (field.type === 'checkbox') values[field.name] = field.checked;
    else if (field.type !== 'radio' || field.checked) values[field.name] = field.value;
  try { typed() ? localStorage.setItem(key, JSON.stringify(values)) : localStorage.removeItem(key); } catch { /* private window */ }
};
const put = values => {
  for (const field of fields()) {
    const value = values[field.name];
    if (value === undefined) continue;
    if (field.type === 'checkbox') field.checked = value;
    else if (field.type !== 'radio') field.value = value;
    else if (field.value === value && !field.checked) { field.checked = true; field.dispatchEvent(new Event('change', {bubbles: true})); }
    if (value && field.type !== 'radio') field.closest('details')?.setAttribute('open', '');
  }
};
let kept = null;
try { kept = JSON.parse(localStorage.getItem(key)); } catch { /* private window */ }
if (kept && !typed() && !location.search) {
  put(kept);
  const note = document.querySelector('[data-kept]');
  if (note) {
    note.hidden = false;
    note.querySelector('button').addEventListener('click', () => { localStorage.removeItem(key); location.assign(location.pathname); });
  }
}
form.addEventListener('input', save);
form.addEventListener('change', save);
form.addEventListener('submit', () => {
  save();
  try { sessionStorage.setItem(SENT, form.dataset.keep); } catch { /* private window */ }
});
