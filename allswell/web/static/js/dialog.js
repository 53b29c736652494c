// <a data-dialog> opens its own page in a dialog; the page stays a page for who opens it in a tab or has no script.
const {ask, say} = window.allswell;

const dialog = document.createElement('dialog');
dialog.className = 'modal';
dialog.setAttribute('aria-modal', 'true');
document.body.append(dialog);

const fill = html => {
  dialog.innerHTML = html;
  const heading = dialog.querySelector('h2');
  if (heading) { heading.id = 'dialog-title'; dialog.setAttribute('aria-labelledby', 'dialog-title'); }
  if (!dialog.open) dialog.showModal();
  (dialog.querySelector('[data-focus],[aria-invalid=true]') ?? dialog.querySelector('.form :is(select,textarea,input:not([type=hidden]),button)'))?.focus();
};
const open = async address => {
  const answer = await ask(address);
  if (answer.headers.get('HX-Redirect')) location.assign(answer.headers.get('HX-Redirect'));
  else if (answer.ok) fill(await answer.text());
  else location.assign(address);
};
window.allswell.openDialog = open;

addEventListener('click', event => {
  const link = event.target.closest('a[data-dialog]');
  if (link && !event.metaKey && !event.ctrlKey && !event.shiftKey && event.button === 0) {
    event.preventDefault();
    link.closest('details[open]')?.removeAttribute('open');
    open(link.href);
  }
  const close = event.target.closest('[data-close]');
  if ((close && dialog.contains(close)) || event.target === dialog) { event.preventDefault(); dialog.close(); }
});
dialog.addEventListener('submit', async event => {
  const form = event.target;
  if (form.method !== 'post') return;
  event.preventDefault();
  const button = event.submitter;
  if (button) button.disabled = true;
  const content = new FormData(form, null);
  if (button?.name) content.append(button.name, button.value);
  if (!content.has('next') && document.querySelector('[data-queue]')) content.append('next', location.pathname + location.search);
  try {
    const answer = await ask(form.action, {method: 'POST', body: content});
    const there = answer.headers.get('HX-Redirect');
    if (there) location.assign(there);
    else if (answer.ok || answer.status === 422) fill(await answer.text());
    else throw new Error(answer.status);
  } catch {
    if (button) button.disabled = false;
    say(document.body.dataset.failed ?? 'This did not arrive. Try again.', true);
  }
});
