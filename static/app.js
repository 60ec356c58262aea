// What pages gain with script on; without it they read and submit all the same.
(() => {
  'use strict';

  // Times: the server writes UTC; the reader's zone goes into the text and UTC into the title.
  const formats = {
    full: { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' },
    day: { day: 'numeric', month: 'short', year: 'numeric' },
    clock: { hour: '2-digit', minute: '2-digit', second: '2-digit' },
  };
  const locale = document.documentElement.lang === 'en' ? 'en-GB' : undefined;
  const local = (date, format) => new Intl.DateTimeFormat(locale, { ...formats[format], hourCycle: 'h23' }).format(date);
  const localise = (root) => {
    for (const el of root.querySelectorAll('time[data-f]')) {
      const date = new Date(el.dateTime);
      if (Number.isNaN(date.getTime())) continue;
      const utc = el.dataset.utc;
      if (el.dataset.f === 'ago') el.title = `${local(date, 'full')}, ${utc}`;
      else {
        el.textContent = local(date, el.dataset.f);
        el.title = utc;
      }
    }
  };

  // A live fragment replaces itself whole. What a reader opened or scrolled to stays as it was.
  const kept = new WeakMap();
  const keep = (target) => {
    const open = [...target.querySelectorAll('details[id]')].map((el) => [el.id, el.open]);
    const scrolled = [...target.querySelectorAll('[data-keep-scroll][id]')].map((el) => {
      const atEnd = el.scrollTop + el.clientHeight >= el.scrollHeight - 8;
      return [el.id, atEnd ? Infinity : el.scrollTop];
    });
    kept.set(target, { open, scrolled, focus: target.contains(document.activeElement) ? document.activeElement.id : '' });
  };
  const restore = (target) => {
    const was = kept.get(target);
    if (!was) return;
    for (const [id, open] of was.open) {
      const el = document.getElementById(id);
      if (el) el.open = open;
    }
    for (const [id, top] of was.scrolled) {
      const el = document.getElementById(id);
      if (el) el.scrollTop = top === Infinity ? el.scrollHeight : top;
    }
    if (was.focus) document.getElementById(was.focus)?.focus({ preventScroll: true });
  };
  // Screen readers hear a change of state, not every tick.
  const say = (target) => {
    const words = target.querySelector('[data-say]')?.dataset.say;
    const said = document.getElementById('said');
    if (said && words && said.textContent !== words) said.textContent = words;
  };
  const scrollLogs = (root) => {
    for (const el of root.querySelectorAll('[data-keep-scroll]')) el.scrollTop = el.scrollHeight;
  };

  // No stream (too many of them, a proxy that buffers): ask every 3 seconds until one opens.
  const polls = new WeakMap();
  const poll = (el, on) => {
    clearInterval(polls.get(el));
    polls.delete(el);
    if (on) polls.set(el, setInterval(() => el.isConnected ? window.htmx.trigger(el, 'slipway:poll') : poll(el, false), 3000));
  };

  // What went wrong on the way is said where the reader is, and taken back once an answer comes again.
  const tell = (words, tone, node) => {
    const area = document.getElementById('trouble');
    if (!area) return;
    const box = node || document.createElement('p');
    if (!node) {
      box.className = `s-flash ${tone}`;
      box.textContent = words;
    }
    if (area.textContent !== box.textContent) area.replaceChildren(box);
  };
  const calm = () => document.getElementById('trouble')?.replaceChildren();
  const lost = 'The connection to Slipway is lost. What you see may be old. It goes on by itself once Slipway answers.';

  document.addEventListener('htmx:responseError', (event) => {
    const { status, responseText } = event.detail.xhr;
    const answer = new DOMParser().parseFromString(responseText, 'text/html').querySelector('.s-flash');
    if (status === 401) tell('Your session has ended. Reload the page to sign in again.', 'is-warn');
    else tell(`Slipway answered with error ${status}. Reload the page to see what holds.`, 'is-fail', answer && document.adoptNode(answer));
  });
  for (const name of ['htmx:sendError', 'htmx:timeout']) document.addEventListener(name, () => tell(lost, 'is-warn'));
  document.addEventListener('htmx:afterOnLoad', (event) => {
    if (event.detail.successful) calm();
  });

  // A stream that ends and opens again within seconds is no news. Its error is an event without words, so it is not logged.
  let silence = 0;
  if (window.htmx) window.htmx.createEventSource = (url) => {
    const source = new EventSource(url, { withCredentials: true });
    Object.defineProperty(source, 'onerror', { set: (then) => source.addEventListener('error', () => then()) });
    return source;
  };

  const live = (event) => event.target.closest?.('[data-live]');

  document.addEventListener('htmx:sseError', (event) => {
    const el = live(event);
    if (el && !silence) silence = setTimeout(() => tell(lost, 'is-warn'), 5000);
    if (el && event.detail?.source?.readyState === EventSource.CLOSED && !polls.has(el)) poll(el, true);
  });
  for (const name of ['htmx:sseOpen', 'htmx:sseClose']) {
    document.addEventListener(name, (event) => {
      const el = live(event);
      if (el) poll(el, false);
      clearTimeout(silence);
      silence = 0;
      calm();
    });
  }
  document.addEventListener('htmx:sseBeforeMessage', (event) => keep(event.target));
  document.addEventListener('htmx:beforeSwap', (event) => keep(event.detail.target));
  document.addEventListener('htmx:sseMessage', (event) => {
    localise(event.target);
    offerCopies(event.target);
    restore(event.target);
    say(event.target);
  });
  document.addEventListener('htmx:afterSwap', (event) => {
    localise(document);
    offerCopies(document);
    restore(event.detail.target);
    say(document);
  });

  // What is meant to be taken over gets a button for it; without script it is selected by hand.
  const copy = async (button) => {
    const from = document.getElementById(button.dataset.copy);
    if (!from) return;
    const lines = [...from.querySelectorAll('[data-line]')].map((el) => el.textContent);
    const word = button.dataset.word ??= button.textContent;
    try {
      await navigator.clipboard.writeText(lines.length ? lines.join('\n') : from.textContent);
      button.textContent = 'Copied';
    } catch {
      button.textContent = 'The browser refused';
    }
    setTimeout(() => { button.textContent = word; }, 2000);
  };
  document.addEventListener('click', (event) => {
    const button = event.target.closest?.('[data-copy]');
    if (button) copy(button);
  });
  const offerCopies = (root) => {
    if (!navigator.clipboard) return;
    for (const el of root.querySelectorAll('[data-copy][hidden]')) el.hidden = false;
  };

  const start = () => {
    offerCopies(document);
    localise(document);
    document.querySelector('[data-autofocus]')?.focus();
    scrollLogs(document);
    if (window.location.hash === '#opener-lost') tell('The frame that opened this window could not be reached, so here is what it would show.', 'is-wait');
  };
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', start);
  else start();
})();
