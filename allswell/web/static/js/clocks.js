// Clocks count down by the server's time: the page says when it was made, and what is left is worked out from there.
const made = Number(document.body.dataset.now) * 1000;
const apart = made ? Date.now() - made : 0;
const {d, h, min, s} = JSON.parse(document.body.dataset.units ?? '{"d":"d","h":"h","min":"min","s":"s"}');

const length = seconds => {
  if (seconds < 0) return '−' + length(-seconds);
  if (seconds < 60) return `${seconds} ${s}`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 5) return `${minutes} ${min} ${seconds % 60} ${s}`;
  if (minutes < 60) return `${minutes} ${min}`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 ? `${hours} ${h} ${minutes % 60} ${min}` : `${hours} ${h}`;
  const days = Math.floor(hours / 24);
  return days < 10 && hours % 24 ? `${days} ${d} ${hours % 24} ${h}` : `${days} ${d}`;
};

const tick = () => {
  const now = Math.floor((Date.now() - apart) / 1000);
  for (const clock of document.querySelectorAll('.clock[data-due]')) {
    const due = Number(clock.dataset.due), from = Number(clock.dataset.from);
    const used = due <= now ? 100 : Math.max(0, Math.min(99, Math.floor((now - from) / (due - from) * 100)));
    const told = clock.querySelector('b'), left = length(due - now);
    if (told.textContent !== left) told.textContent = left;
    clock.querySelector('rect')?.setAttribute('width', used);
    const tone = used >= 80 ? 'bad' : used >= 50 ? 'warn' : 'ok';
    for (const name of ['ok', 'warn', 'bad']) clock.classList.toggle(name, name === tone);
  }
  for (const told of document.querySelectorAll('[data-until]')) {
    const left = Number(told.dataset.until) - now, time = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`;
    const said = left < 0 ? told.dataset.past : told.dataset.in.replace('{time}', time);
    if (left < 3600 && told.textContent !== said) told.textContent = said;
  }
};
if (made) {
  tick();
  setInterval(() => { if (!document.hidden) tick(); }, 1000);
  addEventListener('visibilitychange', tick);
  document.addEventListener('allswell:clocks', tick);
}
