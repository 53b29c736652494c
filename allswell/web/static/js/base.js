// Small things every page has: toasts that go, focus after a failed form, the zone of this browser, menus that close.
const SIX_SECONDS = 6000;

const letGo = toast => {
  let left = setTimeout(() => toast.remove(), toast.classList.contains('bad') ? 2 * SIX_SECONDS : SIX_SECONDS);
  toast.addEventListener('pointerenter', () => clearTimeout(left));
  toast.addEventListener('focusin', () => clearTimeout(left));
  toast.addEventListener('pointerleave', () => { left = setTimeout(() => toast.remove(), SIX_SECONDS); });
};
document.querySelectorAll('.toast').forEach(letGo);

addEventListener('click', event => {
  event.target.closest('[data-dismiss]')?.closest('.toast')?.remove();
  for (const menu of document.querySelectorAll('details.me[open],details.menu-of[open]'))
    if (!menu.contains(event.target)) menu.open = false;
});

// where one is stands in view, also on a phone
for (const tab of document.querySelectorAll('.tabs [aria-current]')) {
  const row = tab.parentElement, left = tab.getBoundingClientRect().left - row.getBoundingClientRect().left;
  row.scrollLeft += left - (row.clientWidth - tab.offsetWidth) / 2;
}

(document.querySelector('[data-focus]') ?? document.querySelector('[aria-invalid=true]'))?.focus();

// before somebody signs in, times are shown in the zone of the browser
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && !document.cookie.includes('zone='))
  document.cookie = `zone=${zone}; path=/; max-age=31536000; samesite=lax${location.protocol === 'https:' ? '; secure' : ''}`;

// what one was writing stays between oneself and this browser only while one is signed in
addEventListener('submit', event => {
  if (!event.target.getAttribute('action')?.endsWith('/sign-out')) return;
  try {
    for (const key of Object.keys(localStorage)) if (key.startsWith('allswell.draft.')) localStorage.removeItem(key);
    sessionStorage.clear();
  } catch { /* private window */ }
});

// What the other modules share. `ask` fetches a part of a page: same address, header HX-Request.
const ask = async (address, options = {}) => {
  const headers = {'HX-Request': 'true', ...options.headers};
  if (options.method === 'POST') headers['X-CSRFToken'] = document.body.dataset.csrf;
  return fetch(address, {credentials: 'same-origin', ...options, headers});
};
const part = async address => {
  const answer = await ask(address);
  if (answer.headers.get('HX-Redirect')) { location.assign(answer.headers.get('HX-Redirect')); return null; }
  return answer.ok ? answer.text() : null;
};
const say = (text, bad = false) => {
  const toast = document.createElement('div');
  toast.className = bad ? 'toast bad' : 'toast';
  toast.append(Object.assign(document.createElement('span'), {textContent: text}));
  document.getElementById('toasts').append(toast);
  letGo(toast);
};
const isTyping = event => event.target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) && event.target.type !== 'checkbox';
window.allswell = {ask, part, say, isTyping};
