// The screen of a page: time runs by the server's clock, and the screen says when somebody else has it.
(() => {
const apart = Date.now() - Number(document.body.dataset.now) * 1000;
const tick = () => {
  for (const told of document.querySelectorAll('[data-until]')) {
    const left = Math.floor(Number(told.dataset.until) - (Date.now() - apart) / 1000);
    const time = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`;
    if (left < 3600) told.textContent = left < 0 ? told.dataset.past : told.dataset.in.replace('{time}', time);
  }
};
const look = async () => {
  if (document.hidden) return;
  try {
    const answer = await fetch(location.href, {cache: 'no-store'});
    if (!answer.ok) return;
    const came = new DOMParser().parseFromString(await answer.text(), 'text/html');
    for (const name of ['header', 'main', 'footer']) {
      const mine = document.querySelector(`body>${name}`), next = came.querySelector(`body>${name}`);
      if (next && !mine.contains(document.activeElement)) mine.replaceChildren(...next.childNodes);
    }
    tick();
  } catch { /* no network: what is shown stays, and the button still works once it is back */ }
};
tick();
setInterval(tick, 1000);
setInterval(look, 10000);
document.addEventListener('visibilitychange', look);
})();
