import { appThemeApiRef, useApi } from '@backstage/frontend-plugin-api';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { heard, type Theme } from './messages';

/** Whether Backstage is dark now: by its reader's choice, else by the system's. */
function useDark(): boolean {
  const themes = useApi(appThemeApiRef);
  const [id, setID] = useState(themes.getActiveThemeId());
  const [system, setSystem] = useState(() => window.matchMedia('(prefers-color-scheme: dark)').matches);
  useEffect(() => {
    const subscription = themes.activeThemeId$().subscribe(setID);
    return () => subscription.unsubscribe();
  }, [themes]);
  useEffect(() => {
    const query = window.matchMedia('(prefers-color-scheme: dark)');
    const follow = () => setSystem(query.matches);
    query.addEventListener('change', follow);
    return () => query.removeEventListener('change', follow);
  }, []);
  const chosen = themes.getInstalledThemes().find((theme) => theme.id === id);
  return chosen ? chosen.variant === 'dark' : system;
}

/** A page of Slipway, as high as its content and in Backstage's theme. */
export function SlipwayFrame(props: { url: string; title: string }) {
  const frame = useRef<HTMLIFrameElement>(null);
  const [height, setHeight] = useState(240);
  const theme: Theme['theme'] = useDark() ? 'dark' : 'light';
  const origin = useMemo(() => new URL(props.url).origin, [props.url]);
  const [src] = useState(() => {
    const first = new URL(props.url); // the theme of later is told by message: another address would load the frame again
    first.searchParams.set('theme', theme);
    return first.toString();
  });
  const loaded = useRef(false);
  const tell = useCallback(() => {
    frame.current?.contentWindow?.postMessage({ type: 'slipway:theme', theme } satisfies Theme, origin);
  }, [origin, theme]);
  useEffect(() => {
    if (loaded.current) tell();
  }, [tell]);
  useEffect(() => {
    const listen = (event: MessageEvent) => {
      if (event.origin !== origin || event.source !== frame.current?.contentWindow) return;
      const said = heard(event.data);
      if (said) setHeight(said.height);
    };
    window.addEventListener('message', listen);
    return () => window.removeEventListener('message', listen);
  }, [origin]);
  const load = () => {
    loaded.current = true;
    tell(); // also lets a frame whose browser does not say who is around it know whom to tell its height
  };
  return <iframe ref={frame} src={src} title={props.title} height={height} onLoad={load} style={{ border: 0, width: '100%', display: 'block' }} />;
}
