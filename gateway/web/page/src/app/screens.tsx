/** Every screen: its place in the address, its entry in the rail, and what draws it. */
import type { ComponentType } from 'preact';
import type { Role } from '../api/types';
import type { TextKey } from '../lib/text';
import { BusesEntry } from '../screens/buses/entry';
import { DevicesEntry } from '../screens/devices/entry';
import { History } from '../screens/history/history';
import { Logs } from '../screens/logs/logs';
import { Overview } from '../screens/overview/overview';
import { SystemEntry } from '../screens/system/entry';
import { UplinksEntry } from '../screens/uplinks/entry';
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
  screen: ComponentType<ScreenArguments>;
}

export const screens: readonly ScreenEntry[] = [
  { path: '', name: 'nav.overview', icon: 'overview', screen: Overview },
  { path: 'devices', name: 'nav.devices', icon: 'devices', screen: DevicesEntry },
  { path: 'buses', name: 'nav.buses', icon: 'buses', minor: true, screen: BusesEntry },
  { path: 'uplinks', name: 'nav.uplinks', icon: 'uplinks', screen: UplinksEntry },
  { path: 'history', name: 'nav.history', icon: 'history', screen: History },
  { path: 'logs', name: 'nav.logs', icon: 'logs', minor: true, screen: Logs },
  { path: 'system', name: 'nav.system', icon: 'system', minor: true, screen: SystemEntry },
];
