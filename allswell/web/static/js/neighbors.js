// From ticket to ticket: the queue leaves behind which tickets it showed, in which order; [ and ] and two buttons walk along it.
const {part, say} = window.allswell;
const KEY = 'allswell.list';
const queue = document.querySelector('[data-queue]');
const head = document.querySelector('[data-ticket]');

if (queue) addEventListener('pagehide', () => {
  const list = {
    numbers: [...document.querySelectorAll('#rows .tk')].map(row => row.dataset.n),
    next: document.querySelector('#rows [rel=next]')?.getAttribute('href') ?? '',
  };
  try { sessionStorage.setItem(KEY, JSON.stringify(list)); } catch { /* private window */ }
});
if (!head) return;

let list = null;
try { list = JSON.parse(sessionStorage.getItem(KEY)); } catch { /* private window */ }
const here = head.dataset.ticket;
if (!list?.numbers?.includes(here)) return;
try { sessionStorage.setItem('allswell.row', here); } catch { /* private window */ }

// the view goes on where its page ended
const more = async () => {
  const html = list.next && await part(list.next);
  if (!html) return;
  const came = new DOMParser().parseFromString(html, 'text/html');
  list.numbers.push(...[...came.querySelectorAll('.tk')].map(row => row.dataset.n).filter(number => !list.numbers.includes(number)));
  list.next = came.querySelector('[rel=next]')?.getAttribute('href') ?? '';
  sessionStorage.setItem(KEY, JSON.stringify(list));
};
const neighbor = step => list.numbers[list.numbers.indexOf(here) + step];
const links = document.querySelectorAll('[data-neighbors] [data-step]');
for (const link of links) {
  const step = Number(link.dataset.step), number = neighbor(step);
  if (number) link.href = `/tickets/${number}`;
  else { link.tabIndex = 0; link.setAttribute('role', 'link'); link.setAttribute('aria-disabled', String(step < 0 || !list.next)); }
  link.addEventListener('click', async event => {
    if (link.href) return;
    event.preventDefault();
    if (step > 0) await more();
    const found = neighbor(step);
    if (found) location.assign(`/tickets/${found}`);
    else say(step > 0 ? head.dataset.last : head.dataset.first);
  });
}
for (const place of document.querySelectorAll('[data-neighbors]')) place.hidden = false;
