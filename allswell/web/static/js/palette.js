// Ctrl K: search and run. The list comes from the server, which knows what this person may see and do.
const {part, ask, openDialog} = window.allswell;
const opener = document.querySelector('[data-palette]');
if (!opener) return;

const dialog = document.getElementById('palette');
const input = dialog.querySelector('input');
const list = document.getElementById('palette-list');
let asked = 0, timer = null;

const options = () => [...list.querySelectorAll('[role=option]')];
const chosen = () => list.querySelector('[aria-selected=true]');
const choose = option => {
  for (const one of options()) one.setAttribute('aria-selected', String(one === option));
  input.setAttribute('aria-activedescendant', option?.id ?? '');
  option?.scrollIntoView({block: 'nearest'});
};
const subject = () => document.querySelector('[data-ticket]')?.dataset.ticket ?? document.querySelector('.tk[aria-current=true]')?.dataset.n ?? '';
const look = async () => {
  const mine = ++asked;
  const html = await part(`${opener.dataset.palette}?q=${encodeURIComponent(input.value)}&on=${subject()}`);
  if (mine !== asked || html === null) return;
  list.innerHTML = html;
  choose(options()[0]);
};
const open = () => {
  if (dialog.open) return;
  dialog.showModal();
  input.select();
  look();
};
const run = async option => {
  if (!option) return;
  const {href, how} = option.dataset;
  dialog.close();
  if (how === 'dialog') openDialog(href);
  else if (how === 'do') {
    const answer = await ask(href, {method: 'POST', body: new FormData()});
    location.assign(answer.headers.get('HX-Redirect') ?? href);
  } else location.assign(href);
};
opener.addEventListener('click', event => { event.preventDefault(); open(); });
input.addEventListener('input', () => { clearTimeout(timer); timer = setTimeout(look, 80); });
dialog.addEventListener('click', event => {
  if (event.target === dialog) dialog.close();
  else run(event.target.closest('[role=option]'));
});
dialog.addEventListener('pointermove', event => { const over = event.target.closest('[role=option]'); if (over && over !== chosen()) choose(over); });
dialog.addEventListener('keydown', event => {
  const all = options(), at = all.indexOf(chosen());
  if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
    event.preventDefault();
    choose(all[(at + (event.key === 'ArrowDown' ? 1 : all.length - 1)) % all.length]);
  } else if (event.key === 'Enter') { event.preventDefault(); run(chosen()); }
});
addEventListener('keydown', event => {
  if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === 'k') { event.preventDefault(); open(); }
  else if (event.key === '/' && document.body.dataset.keys === 'on' && !window.allswell.isTyping(event) && !document.querySelector('dialog[open]')) { event.preventDefault(); open(); }
});
