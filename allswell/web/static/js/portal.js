// The portal's forms: what is being written is kept, and a pasted picture becomes a file. Everything works without this, too.
const {ask} = window.allswell;

for (const form of document.querySelectorAll('form[data-draft]')) {
  let timer = null;
  const save = () => {
    const body = new FormData();
    for (const field of form.querySelectorAll('input:not([type=file]):not([name=kept]),textarea'))
      if (field.name && field.name !== 'csrfmiddlewaretoken' && (field.type !== 'radio' || field.checked)) body.append(field.name, field.value);
    ask(form.dataset.draft, {method: 'POST', body}).catch(() => null); // the next letter tries again
  };
  form.addEventListener('input', event => {
    if (event.target.type === 'file') return;
    clearTimeout(timer);
    timer = setTimeout(save, 1200);
  });
  form.addEventListener('submit', () => clearTimeout(timer));

  const files = form.querySelector('input[type=file]');
  form.addEventListener('paste', event => {
    const pictures = [...event.clipboardData?.files ?? []];
    if (!files || !pictures.length) return;
    event.preventDefault();
    const all = new DataTransfer();
    for (const file of [...files.files, ...pictures]) all.items.add(file);
    files.files = all.files;
  });
}
