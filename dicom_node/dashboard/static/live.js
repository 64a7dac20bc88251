// Keeps the marked parts of a page up to date; forms, scroll position and the PDF stay as they are.
'use strict';
(() => {
  const SECONDS = 4;
  async function refresh() {
    if (document.hidden || !document.querySelector('[data-live]')) return;
    let answer;
    try { answer = await fetch(location.href, { headers: { Accept: 'text/html' } }); } catch { return; }
    if (answer.redirected) { location.assign(answer.url); return; }
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
    if (document.querySelectorAll('.job').length !== fresh.querySelectorAll('.job').length
        || document.querySelectorAll('img.key').length !== fresh.querySelectorAll('img.key').length) {
      location.reload();  // an analysis began or brought its result
      return;
    }
    for (const part of document.querySelectorAll('[data-live]')) {
      const other = fresh.getElementById(part.id);
      if (other && !part.contains(document.activeElement) && part.innerHTML !== other.innerHTML) {
        part.replaceWith(document.importNode(other, true));
      }
    }
  }
  setInterval(refresh, SECONDS * 1000);
})();
