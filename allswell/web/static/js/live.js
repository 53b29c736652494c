// Live updates: one stream per visible tab; where it cannot be had, asking every 15 seconds. Never shows old data as live.
// Every page of the desk has one for its alarm. Of hidden ones one keeps it, so that a tab behind others rings, too.
const sign = document.getElementById('live');
if (!sign && !document.getElementById('alarm')) return;

const ticket = Number(document.querySelector('[data-ticket]')?.dataset.ticket ?? 0);
const changed = () => document.dispatchEvent(new CustomEvent('allswell:changed'));
let source = null, watch = null, lostAt = null, polling = null, soon = null, retry = 500;

const clockText = at => at.toLocaleTimeString([], {hour: '2-digit', minute: '2-digit', hour12: false});
const live = () => {
  lostAt = null;
  retry = 500;
  if (!sign) return;
  sign.hidden = false;
  sign.classList.remove('lost');
  sign.textContent = sign.dataset.live ?? (sign.dataset.live = sign.textContent);
};
const lost = () => {
  lostAt ??= new Date();
  if (!sign || Date.now() - lostAt < 10000) return;
  sign.hidden = false;
  sign.dataset.live ??= sign.textContent;
  sign.classList.add('lost');
  sign.textContent = (document.body.dataset.lost ?? 'Not live since {time}').replace('{time}', clockText(lostAt));
};
// several changes within a moment are one look
const lookSoon = () => { if (!soon) soon = setTimeout(() => { soon = null; changed(); }, 300); };
const counted = unread => {
  for (const place of document.querySelectorAll('[data-counter=notices]')) {
    place.textContent = unread > 99 ? '99+' : unread;
    place.hidden = unread === 0;
  }
};
const called = pages => document.dispatchEvent(new CustomEvent('allswell:pages', {detail: pages ?? []}));
const poll = () => { polling ??= setInterval(() => { if (!document.hidden) changed(); }, 15000); };
const connect = () => {
  if (document.hidden && !watch || source) return;
  source = new EventSource('/live');
  source.addEventListener('hello', event => { live(); clearInterval(polling); polling = null; const first = JSON.parse(event.data); counted(first.unread); called(first.pages); });
  source.addEventListener('beat', live);
  source.addEventListener('changed', event => {
    live();
    const news = JSON.parse(event.data);
    counted(news.unread);
    called(news.pages);
    if (news.is_partial || !ticket && news.tickets.length || news.tickets.includes(ticket)) lookSoon();
  });
  source.addEventListener('bye', () => { source?.close(); source = null; setTimeout(connect, 5000); });
  source.onerror = () => {
    source?.close();
    source = null;
    lost();
    poll();
    setTimeout(connect, retry);
    retry = Math.min(retry * 2, 60000);
  };
};
setInterval(() => { if (lostAt) lost(); }, 5000);
// among the hidden tabs of this browser the one that holds the lock listens; in view again it gives it to the next
const listen = () => {
  const ended = new AbortController();
  watch = null;
  document.addEventListener('visibilitychange', () => { ended.abort(); watch?.(); watch = null; }, {once: true});
  navigator.locks?.request('allswell.alarm', {signal: ended.signal}, () => document.hidden && new Promise(given => { watch = given; connect(); })).catch(() => {});
};
document.addEventListener('visibilitychange', () => {
  if (document.hidden) { source?.close(); source = null; listen(); } else { connect(); changed(); }
});
if (document.hidden) listen(); else connect();
