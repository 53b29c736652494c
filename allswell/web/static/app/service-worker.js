// Shows the pages that come by web push, opens them and acknowledges them. It keeps nothing and stands before no request.
const codes = new Map();

// only addresses of this desk are ever opened or posted to
const ours = link => {
  try {
    const to = new URL(link, location.origin);
    if (to.origin === location.origin) return to.href;
  } catch { /* no address */ }
  return `${location.origin}/`;
};
const windows = () => clients.matchAll({type: 'window', includeUncontrolled: true});

addEventListener('install', () => skipWaiting());
addEventListener('activate', event => event.waitUntil(clients.claim()));

addEventListener('push', event => {
  let said = {};
  try { said = event.data?.json() ?? {}; } catch { /* shown as a page without words: better than none */ }
  const link = ours(said.link), code = /#verify-(\d+)-(\d{6})$/.exec(link), actions = [];
  if (said.acknowledge) actions.push({action: 'acknowledge', title: said.acknowledge});
  if (said.open) actions.push({action: 'open', title: said.open});
  event.waitUntil((async () => {
    if (code) {
      codes.set(code[1], code[2]);
      for (const page of await windows()) page.postMessage({contact: code[1], code: code[2]});
    }
    await registration.showNotification(said.title || 'Allswell', {
      body: said.body || '', tag: said.tag || link, renotify: true, lang: said.locale || 'en', data: {link}, actions,
      requireInteraction: said.urgency === 'urgent', vibrate: said.urgency === 'urgent' ? [600, 200, 600, 200, 600] : [200],
      icon: '/app/icon-192.png', badge: '/app/icon-192.png',
    });
  })());
});

// a page that opened after the code had come asks for it
addEventListener('message', event => {
  if (event.data !== 'codes' || event.origin !== location.origin) return;
  for (const [contact, code] of codes) event.source?.postMessage({contact, code});
});

const open = async link => {
  for (const page of await windows()) {
    if (page.url === link && 'focus' in page) return page.focus();
  }
  return clients.openWindow(link);
};

addEventListener('notificationclick', event => {
  const link = ours(event.notification.data?.link);
  event.notification.close();
  event.waitUntil((async () => {
    if (event.action === 'acknowledge') {
      try {
        const answer = await fetch(link, {method: 'POST', credentials: 'omit', cache: 'no-store'});
        if (answer.ok) return;
      } catch { /* no net just now: the page says so itself */ }
    }
    await open(link);
  })());
});
