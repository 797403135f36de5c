/**
 * The options of the configuration as its own schema tells them, so that the page can change every key there is; and an
 * entry of the configuration as one level of them: `report.dead_band`, as in a table of points.
 */
import { get } from './client';
import type { Edit, Step } from './config';

export interface Option {
  description?: string;
  type?: string | string[];
  enum?: (string | number)[];
  default?: unknown;
  examples?: unknown[];
  items?: Option;
  properties?: Record<string, Option>;
  additionalProperties?: unknown;
  $ref?: string;
  anyOf?: Option[];
}

interface Definition {
  properties?: Record<string, Option>;
  propertyNames?: { enum: string[] };
}

interface Listed {
  items: Definition & { allOf?: { if: { properties: { driver: { const: string } } }; then: Definition }[] };
}

export interface Schema {
  properties: Record<string, Option & Definition> & { buses: Listed; devices: Listed; uplinks: Listed };
  definitions: Record<string, Option & Definition>;
}

export type Options = ReadonlyMap<string, Option>;
export type Fields = Record<string, unknown>;

/** What an entry is: a bus, a device, a point of one, an uplink; or one of the file's own objects. */
export type Kind = 'buses' | 'devices' | 'points' | 'uplinks' | 'gateway' | 'journal' | 'defaults' | 'web';

let loaded: Promise<Schema> | null = null;

export function loadSchema(): Promise<Schema> {
  loaded ??= get<Schema>('/options').catch((error) => {
    loaded = null;
    throw error;
  });
  return loaded;
}

/** All Modbus drivers have the options of one of them. */
const family = (driver: string): string => (driver.startsWith('modbus') ? 'modbus-rtu' : driver);

/** What is said of every driver, and then of this one, which leaves out what it does not have. */
function merged(common: Definition, own: Definition = {}): Record<string, Option> {
  const all: Record<string, Option> = { ...common.properties };
  for (const [key, option] of Object.entries(own.properties ?? {})) all[key] = { ...all[key], ...option };
  const names = own.propertyNames?.enum;
  return names ? Object.fromEntries(names.filter((name) => all[name]).map((name) => [name, all[name]!])) : all;
}

function named(schema: Schema, kind: Kind, driver: string): Record<string, Option> {
  const { properties, definitions } = schema;
  switch (kind) {
    case 'buses': return merged(properties.buses.items, properties.buses.items.allOf?.find((one) => one.if.properties.driver.const === driver)?.then);
    case 'devices': return merged(properties.devices.items, definitions[`device-${family(driver)}`]);
    case 'points': return definitions[`point-${family(driver)}`]?.properties ?? {};
    case 'uplinks': return properties.uplinks.items.properties ?? {};
    default: return properties[kind]?.properties ?? {};
  }
}

/** An object whose keys are known is as many options as it has keys; "write", which may be empty, is one besides. */
export function optionsOf(schema: Schema, kind: Kind, driver = ''): Options {
  const made = new Map<string, Option>();
  for (const [key, given] of Object.entries(named(schema, kind, driver))) {
    const option = given.$ref ? { ...schema.definitions[given.$ref.replace('#/definitions/', '')], ...given } : given;
    if (key === 'points' || option.items?.properties) continue; // lists of objects have no line of text
    if (option.properties) {
      if (key === 'write') made.set(key, { description: option.description, type: 'boolean' });
      for (const [inner, part] of Object.entries(option.properties)) made.set(`${key}.${inner}`, part);
    } else made.set(key, option);
  }
  return made;
}

const isObject = (value: unknown): value is Fields => value !== null && typeof value === 'object' && !Array.isArray(value);

/** An entry as one level. What has no option there (its points) stays out. */
export function flat(entry: Fields, options: Options): Fields {
  const made: Fields = {};
  for (const [key, value] of Object.entries(entry)) {
    if (isObject(value) && !options.get(key)?.additionalProperties) {
      if (options.has(key)) made[key] = true;
      for (const [inner, part] of Object.entries(value)) made[`${key}.${inner}`] = part;
    } else if (options.has(key)) made[key] = value;
  }
  return made;
}

/** The way back. */
export function deep(fields: Fields): Fields {
  const made: Fields = {};
  for (const [path, value] of Object.entries(fields)) {
    const [key = '', inner] = path.split('.');
    if (inner !== undefined) made[key] = { ...(isObject(made[key]) ? made[key] : {}), [inner]: value };
    else if (key !== 'write') made[key] = value;
    else if (value === true) made[key] = isObject(made[key]) ? made[key] : {};
  }
  return made;
}

export const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** The edits that make one entry of the other, key by key, the id last: until then it is found by the old one. */
export function editsBetween(at: readonly Step[], before: Fields, after: Fields): Edit[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((key) => !same(before[key], after[key]));
  keys.sort((a, b) => Number(a === 'id') - Number(b === 'id'));
  return keys.map((key) => (key in after ? { at: [...at, key], set: after[key] } : { at: [...at, key], remove: true }));
}

const types = (option: Option): string[] => [option.type ?? option.anyOf?.map((one) => one.type).flat() ?? 'string'].flat() as string[];

/** How an option is filled in: chosen, or written. */
export function formOf(option: Option): 'choice' | 'yesno' | 'text' {
  if (option.enum) return 'choice';
  return types(option).join() === 'boolean' ? 'yesno' : 'text';
}

/** A value as one writes it: lists with "|" between their items, texts of numbers as "0=off|1=auto". */
export function asText(value: unknown): string {
  if (Array.isArray(value)) return value.map(String).join('|');
  if (isObject(value)) return Object.entries(value).map(([key, text]) => `${key}=${text}`).join('|');
  return value === undefined ? '' : String(value);
}

const asNumber = (text: string): number => (/^[-+]?[\d.,]+(e[-+]?\d+)?$/i.test(text.trim()) ? Number(text.trim().replace(',', '.')) : NaN);

/** What was written, as the option wants it; what does not fit is handed on as it is, for the gateway to say why. */
export function fromText(text: string, option: Option): unknown {
  const wanted = types(option), number = asNumber(text);
  if (option.enum) return option.enum.find((one) => String(one) === text) ?? text;
  if (wanted.join() === 'boolean') return text === 'true';
  if (wanted.includes('object')) return Object.fromEntries(text.split('|').map((item) => item.split('=')).map(([key = '', ...rest]) => [key.trim(), rest.join('=').trim()]));
  if (wanted.includes('array') && (text.includes('|') || !wanted.includes('number'))) return text.split('|').map((item) => (option.items?.type === 'number' || wanted.includes('number') ? asNumber(item) : item.trim()));
  return (wanted.includes('number') || wanted.includes('integer')) && Number.isFinite(number) ? number : text;
}
