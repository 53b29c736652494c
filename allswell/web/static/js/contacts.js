// How I am reached: this browser as a way (web push), and codes that it takes by itself.
const {ask} = window.allswell;
const form = document.querySelector('form[data-push]');

// a code is tried once by itself: one that is wrong must not use up the guesses
const isNew = key => {
  try {
    if (sessionStorage.getItem(key)) return false;
    sessionStorage.setItem(key, '1');
    return true;
  } catch { return false; /* private window: it is filled in, and sent by hand */ }
};

const verify = ({contact, code}) => {
  const asked = document.querySelector(`form[data-verify="${CSS.escape(String(contact))}"]`);
  if (!asked || !/^\d{6}$/.test(code)) return;
  asked.elements.code.value = code;
  if (!isNew(`allswell.code.${contact}.${code}`)) return;
  asked.requestSubmit();
};

const bytes = text => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), sign => sign.charCodeAt(0));
const isSame = (key, old) => {
  const now = old ? new Uint8Array(old) : [];
  return now.length === key.length && key.every((value, at) => value === now[at]);
};

const subscribe = async () => {
  const answer = await ask(form.dataset.push, {method: 'POST'});
  if (!answer.ok) throw new Error('key');
  const key = bytes((await answer.json()).key);
  await navigator.serviceWorker.register('/service-worker.js', {updateViaCache: 'none'});
  const worker = await navigator.serviceWorker.ready;
  const old = await worker.pushManager.getSubscription();
  if (old && !isSame(key, old.options.applicationServerKey)) await old.unsubscribe();
  return worker.pushManager.subscribe({userVisibleOnly: true, applicationServerKey: key});
};

if (form) {
  const said = document.querySelector('[data-push-said]');
  const tell = words => { said.textContent = words; said.hidden = false; };
  if (!('serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window)) tell(form.dataset.cannot);
  else form.hidden = false;

  form.addEventListener('submit', async event => {
    if (form.elements.address.value) return;
    event.preventDefault();
    const button = form.querySelector('button');
    button.disabled = true;
    try {
      if (await Notification.requestPermission() !== 'granted') { tell(form.dataset.denied); return; }
      form.elements.address.value = JSON.stringify((await subscribe()).toJSON());
      form.submit();
    } catch {
      tell(form.dataset.failed);
    } finally {
      button.disabled = false;
    }
  });
}

if (document.querySelector('form[data-verify]') && 'serviceWorker' in navigator) {
  navigator.serviceWorker.addEventListener('message', event => verify(event.data ?? {}));
  navigator.serviceWorker.startMessages?.();
  navigator.serviceWorker.getRegistration('/').then(found => found?.active?.postMessage('codes'));
  const opened = /^#verify-(\d+)-(\d{6})$/.exec(location.hash);
  if (opened) { history.replaceState(null, '', location.pathname); verify({contact: opened[1], code: opened[2]}); }
}
