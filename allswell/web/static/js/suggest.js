// A field that asks for a person: names come as one types; without script an address can be typed in full.
const {part} = window.allswell;
for (const input of document.querySelectorAll('[data-suggest]')) {
  const list = document.getElementById(input.getAttribute('aria-controls'));
  const hidden = input.parentElement.querySelector('input[type=hidden]');
  const options = () => [...list.querySelectorAll('[role=option]')];
  let timer = null, asked = 0;
  const close = () => { list.hidden = true; input.setAttribute('aria-expanded', 'false'); };
  const choose = option => { for (const one of options()) one.setAttribute('aria-selected', String(one === option)); input.setAttribute('aria-activedescendant', option?.id ?? ''); };
  const take = option => { if (option) { input.value = option.dataset.name; hidden.value = option.dataset.id; } close(); };
  input.addEventListener('input', () => {
    hidden.value = '';
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const mine = ++asked, html = await part(`${input.dataset.suggest}?q=${encodeURIComponent(input.value)}`);
      if (mine !== asked || html === null) return;
      list.innerHTML = html;
      list.hidden = options().length === 0;
      input.setAttribute('aria-expanded', String(!list.hidden));
      choose(options()[0]);
    }, 120);
  });
  input.addEventListener('keydown', event => {
    if (list.hidden) return;
    const all = options(), at = all.findIndex(one => one.getAttribute('aria-selected') === 'true');
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') { event.preventDefault(); choose(all[(at + (event.key === 'ArrowDown' ? 1 : all.length - 1)) % all.length]); }
    else if (event.key === 'Enter') { event.preventDefault(); take(all[at]); }
    else if (event.key === 'Escape') { event.stopPropagation(); close(); }
  });
  list.addEventListener('pointerdown', event => { event.preventDefault(); take(event.target.closest('[role=option]')); });
  input.addEventListener('blur', close);
}
