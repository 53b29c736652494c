// The page of a background job asks how far it is, every second while it runs.
const page = document.getElementById('job');
if (!page) return;
const look = async () => {
  if (page.dataset.job !== 'running' || document.hidden) return;
  const answer = await fetch(location.pathname, {credentials: 'same-origin'});
  if (!answer.ok || answer.redirected) return;
  const next = new DOMParser().parseFromString(await answer.text(), 'text/html').getElementById('job');
  if (!next || next.innerHTML === page.innerHTML) return;
  page.replaceChildren(...next.childNodes);
  page.dataset.job = next.dataset.job;
};
setInterval(look, 1000);
