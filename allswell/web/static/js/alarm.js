// What calls somebody rings on every live page of the desk they have open: a banner, the title, and two tones made here.
const place = document.getElementById('alarm');
if (!place) return;

const title = document.title;
let known = '', sound = null, ringing = null, flip = false;

const tone = (at, pitch) => {
  const source = sound.createOscillator(), loud = sound.createGain();
  source.frequency.value = pitch;
  loud.gain.setValueAtTime(0, at);
  loud.gain.linearRampToValueAtTime(0.25, at + 0.02);
  loud.gain.linearRampToValueAtTime(0, at + 0.28);
  source.connect(loud).connect(sound.destination);
  source.start(at);
  source.stop(at + 0.3);
};
const beat = () => {
  flip = !flip;
  document.title = flip ? `${place.dataset.title} ${title}` : title;
  // a browser lets a page be heard only once somebody has touched it
  if (!sound && navigator.userActivation?.hasBeenActive) sound = new AudioContext();
  if (sound?.state === 'running') { tone(sound.currentTime, 880); tone(sound.currentTime + 0.35, 660); } else sound?.resume();
};
const ring = is => {
  if (is && !ringing) { ringing = setInterval(beat, 2000); beat(); }
  if (!is && ringing) { clearInterval(ringing); ringing = null; document.title = title; }
};
const show = async () => {
  const answer = await fetch(place.dataset.from, {credentials: 'same-origin', headers: {'HX-Request': 'true'}}).catch(() => null);
  if (!answer?.ok || answer.redirected) return;
  place.innerHTML = await answer.text();
  place.hidden = place.childElementCount === 0;
};
document.addEventListener('allswell:pages', event => {
  const pages = event.detail, now = JSON.stringify(pages);
  ring(pages.some(page => page[1]));
  for (const counter of document.querySelectorAll('[data-counter=oncall]')) {
    counter.textContent = pages.length;
    counter.hidden = pages.length === 0;
  }
  if (now === known || !known && !pages.length) return;
  known = now;
  if (pages.length) show(); else { place.hidden = true; place.replaceChildren(); }
});
