// The queue: move with J and K, preview, select, and rows that change in place without moving under the hand.
const {ask, part, openDialog, say} = window.allswell;
const page = document.querySelector('[data-queue]');
if (!page) return;

const list = document.getElementById('rows');
const preview = document.getElementById('preview');
const pill = document.getElementById('new-rows');
const bulk = document.getElementById('bulk');
const wide = matchMedia('(min-width:64.01rem)');
const rows = () => [...list.querySelectorAll('.tk')];
const current = () => list.querySelector('.tk[aria-current=true]');
const PREVIEW = 'allswell.preview';
let waiting = null;

const mark = row => {
  for (const other of rows()) other.removeAttribute('aria-current');
  row?.setAttribute('aria-current', 'true');
  try { if (row) sessionStorage.setItem('allswell.row', row.dataset.n); } catch { /* private window */ }
};
const go = row => {
  if (!row) return;
  mark(row);
  row.querySelector('a.ttl').focus({preventScroll: true});
  row.scrollIntoView({block: 'nearest'});
  if (!preview.hidden) show(row);
};
const move = step => {
  const all = rows(), at = all.indexOf(current());
  go(all[Math.max(0, Math.min(all.length - 1, at + step))]);
};
const show = row => {
  clearTimeout(waiting);
  waiting = setTimeout(async () => {
    const html = await part(`/tickets/${row.dataset.n}`);
    if (html === null || current() !== row) return;
    preview.innerHTML = html;
    preview.scrollTop = 0;
    for (const next of preview.querySelectorAll('[data-here]')) next.value = location.pathname + location.search;
  }, preview.childElementCount ? 90 : 0);
};
const setPreview = on => {
  preview.hidden = !on;
  page.classList.toggle('one', !on);
  try { localStorage.setItem(PREVIEW, on ? 'on' : 'off'); } catch { /* private window */ }
  if (on && current()) show(current());
};

// selection
const boxes = () => rows().map(row => row.querySelector('input[type=checkbox]'));
let anchor = null;
const count = () => {
  const chosen = boxes().filter(box => box.checked);
  for (const box of boxes()) box.closest('.tk').classList.toggle('chosen', box.checked);
  bulk.hidden = chosen.length === 0;
  const said = bulk.querySelector('[data-count]');
  said.textContent = chosen.length === 1 ? said.dataset.one : said.dataset.many.replace('{n}', chosen.length);
};
const select = (row, range) => {
  if (!row) return;
  const all = rows(), box = row.querySelector('input[type=checkbox]');
  if (range && anchor && all.includes(anchor)) {
    const [from, to] = [all.indexOf(anchor), all.indexOf(row)].sort((a, b) => a - b);
    for (const one of all.slice(from, to + 1)) one.querySelector('input[type=checkbox]').checked = true;
  } else { box.checked = !box.checked; anchor = row; }
  count();
};
list.addEventListener('change', count);
list.addEventListener('click', event => {
  const row = event.target.closest('.tk');
  if (row && event.target.matches('input[type=checkbox]')) { anchor = event.shiftKey ? anchor : row; return; }
  if (row && (event.metaKey || event.ctrlKey || event.shiftKey)) return;
  if (row && !event.target.closest('a')) { mark(row); if (preview.hidden) setPreview(true); else show(row); }
});
bulk.addEventListener('reset', () => setTimeout(() => { for (const box of boxes()) box.checked = false; count(); }));

const act = async (row, verb) => {
  if (!row) return;
  const form = new FormData();
  form.append('next', location.pathname + location.search);
  const answer = await ask(`/tickets/${row.dataset.n}/${verb}`, {method: 'POST', body: form});
  const there = answer.headers.get('HX-Redirect');
  if (there) location.assign(there);
  else if (answer.headers.get('Content-Type')?.includes('html')) {
    const refused = new DOMParser().parseFromString(await answer.text(), 'text/html').querySelector('.callout.bad,.error,p');
    say(refused?.textContent.trim() ?? '', true);
  }
};

addEventListener('keydown', event => {
  if (document.body.dataset.keys !== 'on' || window.allswell.isTyping(event) || event.metaKey || event.ctrlKey || event.altKey) return;
  if (document.querySelector('dialog[open]')) return;
  const does = {
    j: () => event.shiftKey ? (select(current() ?? rows()[0], false), move(1)) : move(1),
    k: () => event.shiftKey ? (select(current(), false), move(-1)) : move(-1),
    ' ': () => { if (!current()) go(rows()[0]); setPreview(preview.hidden); },
    x: () => select(current(), event.shiftKey),
    a: () => act(current(), 'take'),
    e: () => current() && openDialog(`/tickets/${current().dataset.n}/hand-over`),
    '.': () => pill.hidden || pill.click(),
    Enter: () => { if (document.activeElement.tagName !== 'A' && document.activeElement.tagName !== 'BUTTON') current()?.querySelector('a.ttl').click(); else return true; },
    Escape: () => bulk.hidden ? setPreview(false) : bulk.reset(),
  }[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!does) return;
  if (event.key === ' ' && /^(BUTTON|SUMMARY)$/.test(document.activeElement.tagName)) return;
  if (does() !== true) event.preventDefault();
});

// live: rows in view change where they are; new ones wait behind the pill
let fresh = null;
const isSame = (a, b) => a.innerHTML === b.innerHTML && a.className.replace(' chosen', '') === b.className;
const refresh = async () => {
  if (new URL(location.href).searchParams.get('after')) return;
  const html = await part(page.dataset.queue);
  if (html === null) return;
  const came = new DOMParser().parseFromString(`<div>${html}</div>`, 'text/html').body.firstElementChild;
  const now = new Map([...came.querySelectorAll('.tk')].map(row => [row.id, row]));
  for (const row of rows()) {
    const next = now.get(row.id);
    row.classList.toggle('gone', !next);
    if (!next || isSame(row, next)) continue;
    const checked = row.querySelector('input[type=checkbox]').checked, focused = row.contains(document.activeElement);
    row.replaceChildren(...next.childNodes);
    row.className = next.className;
    row.dataset.v = next.dataset.v;
    row.querySelector('input[type=checkbox]').checked = checked;
    if (focused) row.querySelector('a.ttl').focus({preventScroll: true});
    row.classList.add('changed');
    now.delete(row.id);
  }
  const added = [...came.querySelectorAll('.tk')].filter(row => !document.getElementById(row.id)).length;
  fresh = html;
  pill.hidden = added === 0;
  pill.querySelector('span').textContent = added === 1 ? pill.dataset.one : pill.dataset.many.replace('{n}', added);
  count();
};
pill.addEventListener('click', () => {
  const kept = current()?.id, chosen = new Set(boxes().filter(box => box.checked).map(box => box.value));
  list.innerHTML = fresh;
  pill.hidden = true;
  for (const box of boxes()) box.checked = chosen.has(box.value);
  if (kept) mark(document.getElementById(kept));
  count();
});
document.addEventListener('allswell:changed', refresh);

let kept = null;
try { kept = sessionStorage.getItem('allswell.row'); } catch { /* private window */ }
mark((kept && document.getElementById(`t${kept}`)) || rows()[0]);
current()?.scrollIntoView({block: 'nearest'});
let wanted = 'on';
try { wanted = localStorage.getItem(PREVIEW) ?? 'on'; } catch { /* private window */ }
if (wide.matches && wanted === 'on' && rows().length) setPreview(true); else page.classList.add('one');
count();
