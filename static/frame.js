// A frame within another site: its theme comes from there, its height goes there, and a window of its own brings its session. Nothing is
// said to, or taken from, an origin that the server has not named.
(() => {
  'use strict';

  const root = document.documentElement;
  const here = window.location.origin;

  // The window that a frame opened. Without a way back to the frame, it shows the same as a page.
  const page = document.querySelector('[data-page]');
  if (page) {
    if (!window.opener || window.opener.closed) {
      window.location.replace(`${page.dataset.page}#opener-lost`);
      return;
    }
    if (page.dataset.code) {
      window.addEventListener('message', (event) => {
        if (event.origin === here && event.source === window.opener && event.data?.type === 'slipway:connected') window.close();
      });
      window.opener.postMessage({ type: 'slipway:code', code: page.dataset.code }, here);
    }
    return;
  }
  if (root.dataset.parents === undefined || window.parent === window) return;

  // Frames side by side: when one is connected, the others are, too.
  const view = document.querySelector('[data-view]')?.dataset.view;
  const others = new BroadcastChannel('slipway:frames');
  if ('waits' in root.dataset) {
    others.addEventListener('message', () => window.location.reload());
    window.addEventListener('message', (event) => {
      if (event.origin !== here || event.data?.type !== 'slipway:code' || !/^[\w-]{43}$/.test(event.data.code)) return;
      event.source.postMessage({ type: 'slipway:connected' }, here);
      window.location.replace(`/embed/start?code=${event.data.code}&view=${encodeURIComponent(view)}`);
    });
  } else others.postMessage('connected');

  const parents = root.dataset.parents.split(' ').filter(Boolean);
  const around = window.location.ancestorOrigins?.[0];
  let parent = parents.includes(around) ? around : undefined; // where the browser does not tell, the first message does

  let told = 0;
  const tellHeight = () => {
    const height = Math.ceil(document.body.getBoundingClientRect().height);
    if (!parent || height === told) return;
    told = height;
    window.parent.postMessage({ type: 'slipway:height', height }, parent);
  };

  window.addEventListener('message', (event) => {
    if (event.source !== window.parent || !parents.includes(event.origin)) return;
    parent = event.origin;
    const theme = event.data?.type === 'slipway:theme' ? event.data.theme : undefined;
    if (theme === 'light' || theme === 'dark') {
      root.dataset.theme = `slipway-${theme}`;
      document.querySelector('meta[name=color-scheme]')?.setAttribute('content', theme);
    }
    tellHeight();
  });
  new ResizeObserver(tellHeight).observe(document.body);
})();
