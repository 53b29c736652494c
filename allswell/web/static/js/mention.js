// @ in an internal note: the people who may read it, to choose from. The server says who they are.
const {part} = window.allswell;
const composer = document.getElementById('composer');
const list = document.getElementById('mentions');
if (!composer || !list) return;

const box = composer.elements.body;
const said = document.getElementById('mentions-said');
const options = () => [...list.querySelectorAll('[role=option]')];
const chosen = () => list.querySelector('[aria-selected=true]');
let asked = 0, timer = null, from = -1; // where the @ stands

// what is being typed after an @, at most two words; null when there is none
const typed = () => {
  if (composer.elements.place.value !== 'note' || box.selectionStart !== box.selectionEnd) return null;
  const found = box.value.slice(0, box.selectionStart).match(/(?:^|[\s(])@([\p{L}\p{N}.'-]*(?: [\p{L}\p{N}.'-]+)?)$/u);
  if (!found) return null;
  from = box.selectionStart - found[1].length - 1;
  return found[1];
};
const choose = option => {
  for (const one of options()) one.setAttribute('aria-selected', String(one === option));
  if (option) { box.setAttribute('aria-activedescendant', option.id); option.scrollIntoView({block: 'nearest'}); }
  else box.removeAttribute('aria-activedescendant');
};
// a text area may not be called a combobox; as a text box with a list it says the same while there is something to choose
const OPEN = {'aria-autocomplete': 'list', 'aria-haspopup': 'listbox', 'aria-controls': list.id};
const close = () => {
  asked += 1;
  clearTimeout(timer);
  list.hidden = true;
  said.textContent = '';
  for (const name of [...Object.keys(OPEN), 'aria-activedescendant']) box.removeAttribute(name);
};
const show = html => {
  list.innerHTML = html;
  const found = options().length;
  if (!found) { close(); said.textContent = list.dataset.none; return; }
  list.hidden = false;
  for (const [name, value] of Object.entries(OPEN)) box.setAttribute(name, value);
  said.textContent = list.dataset.found.replace('{n}', found);
  choose(options()[0]);
};
const look = async text => {
  const mine = ++asked, html = await part(`${list.dataset.mention}?q=${encodeURIComponent(text)}`);
  if (mine === asked && html !== null && typed() === text) show(html);
};
const take = option => {
  if (!option) return;
  const {id, name} = option.dataset;
  box.setRangeText(`@${name} `, from, box.selectionStart, 'end');
  composer.append(Object.assign(document.createElement('input'), {type: 'hidden', name: 'mention', value: id}));
  close();
  box.focus();
  box.dispatchEvent(new Event('input', {bubbles: true}));
};

box.addEventListener('input', () => {
  const text = typed();
  if (text === null) { if (!list.hidden) close(); return; }
  clearTimeout(timer);
  timer = setTimeout(look, 80, text);
});
// before the other keys of the composer: Escape closes the list, not the composer
composer.addEventListener('keydown', event => {
  if (list.hidden || event.target !== box || event.metaKey || event.ctrlKey || event.altKey) return;
  const all = options(), at = all.indexOf(chosen());
  const does = {
    ArrowDown: () => choose(all[(at + 1) % all.length]),
    ArrowUp: () => choose(all[(at + all.length - 1) % all.length]),
    Enter: () => take(chosen()),
    Tab: () => take(chosen()),
    Escape: close,
  }[event.key];
  if (!does) return;
  event.preventDefault();
  event.stopPropagation();
  does();
}, true);
list.addEventListener('pointerdown', event => { event.preventDefault(); take(event.target.closest('[role=option]')); });
list.addEventListener('pointermove', event => { const over = event.target.closest('[role=option]'); if (over && over !== chosen()) choose(over); });
box.addEventListener('blur', close);
box.addEventListener('click', () => { if (!list.hidden && typed() === null) close(); });
composer.addEventListener('change', event => { if (event.target.name === 'place') close(); });
