/**
 * Every screen: its place in the address, its entry in the rail, and where its code is. A screen's code is loaded when
 * one goes there for the first time.
 */
import type { ComponentType } from 'preact';
import type { Role } from '../api/types';
import type { TextKey } from '../lib/text';
import { Overview } from '../screens/overview/overview';
import type { IconName } from './icon';

/** What a screen is given: the parts of the address behind its own. */
export interface ScreenArguments {
  rest: readonly string[];
}

export interface ScreenEntry {
  /** The first part of the address; "" is where one starts. */
  path: string;
  name: TextKey;
  icon: IconName;
  /** Who sees it; everybody unless said. */
  role?: Role;
  /** On a phone it is behind "More". */
  minor?: boolean;
  load: () => Promise<ComponentType<ScreenArguments>>;
}

export const screens: readonly ScreenEntry[] = [
  { path: '', name: 'nav.overview', icon: 'overview', load: async () => Overview },
  { path: 'devices', name: 'nav.devices', icon: 'devices', load: async () => (await import('../screens/devices/entry')).DevicesEntry },
  { path: 'buses', name: 'nav.buses', icon: 'buses', minor: true, load: async () => (await import('../screens/buses/entry')).BusesEntry },
  { path: 'uplinks', name: 'nav.uplinks', icon: 'uplinks', load: async () => (await import('../screens/uplinks/entry')).UplinksEntry },
  { path: 'history', name: 'nav.history', icon: 'history', load: async () => (await import('../screens/history/history')).History },
  { path: 'logs', name: 'nav.logs', icon: 'logs', minor: true, load: async () => (await import('../screens/logs/logs')).Logs },
  { path: 'system', name: 'nav.system', icon: 'system', minor: true, load: async () => (await import('../screens/system/entry')).SystemEntry },
];
