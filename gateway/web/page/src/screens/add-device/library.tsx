/** The library of device profiles: by maker, model or what it is. */
import { useEffect, useState } from 'preact/hooks';
import { get } from '../../api/client';
import { t, told, type TextKey } from '../../lib/text';
import { TextField } from '../../parts/field';
import { Problem } from '../../parts/notice';
import { State } from '../../parts/state';
import type { StepProps } from './add-device';
import { driverAt } from './draft';

interface Profile {
  name: string;
  vendor: string;
  model: string;
  category: string;
  confidence: string;
  unverified: boolean;
  points: number;
  read: number;
  drivers?: string[];
  /** As a new device's line is set. */
  line?: string;
}

/** A profile of a Modbus device is for all its drivers. */
const family = (driver: string): string => driver.replace(/^modbus-.*/, 'modbus');

const SHOWN = 12;

/** What is sure by its sources needs no display; what was compared with one keeps the confidence that it had before. */
export function trusted({ unverified, confidence }: Pick<Profile, 'unverified' | 'confidence'>): TextKey | null {
  if (unverified) return 'library.unverified';
  return confidence === 'high' ? 'library.sure' : confidence ? 'library.verified' : null;
}

function Trust({ profile }: { profile: Profile }) {
  const word = trusted(profile);
  return word ? <State level={profile.unverified ? 'look' : 'up'} word={t(word)} /> : <span />;
}

/** How many of the words it has; those with more come first. */
function score(profile: Profile, words: readonly string[]): number {
  const whole = `${profile.name} ${profile.vendor} ${profile.model} ${profile.category} ${told(`category.${profile.category}`, '')}`.toLowerCase();
  return words.filter((word) => whole.includes(word)).length;
}

export function Library({ draft, change }: StepProps) {
  const [profiles, setProfiles] = useState<readonly Profile[] | null>(null);
  const [search, setSearch] = useState(draft.heard ?? '');
  const [error, setError] = useState<unknown>(null);
  useEffect(() => void get<Profile[] | { profiles: Profile[] }>('/profiles').then((answer) => setProfiles(Array.isArray(answer) ? answer : answer.profiles), setError), []);
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const least = draft.heard && search === draft.heard ? 1 : words.length;
  const spoken = draft.place && family(driverAt(draft.place));
  const fitting = (profiles ?? []).filter((profile) => !spoken || !profile.drivers || profile.drivers.some((driver) => family(driver) === spoken));
  const found = fitting.map((profile) => ({ profile, has: score(profile, words) })).filter(({ has }) => has >= least).sort((a, b) => b.has - a.has);
  // A line that is not there yet takes the setting that a new device of this kind has.
  const choose = (profile: Profile): void => {
    const { place } = draft;
    const line = profile.line && place && 'line' in place && place.driver === 'serial' ? { place: { ...place, line: profile.line } } : {};
    change({ profile: profile.name, points: undefined, ...line });
  };
  const chosen = profiles?.find((profile) => profile.name === draft.profile);
  if (chosen)
    return (
      <ul class="entries library">
        <li>
          <span><b>{chosen.vendor} {chosen.model}</b> <span class="quiet-line">{t('library.points', { n: chosen.read })}</span></span>
          <State level="up" word={t('library.chosen')} />
          <button class="button small" type="button" onClick={() => change({ profile: undefined })}>{t('library.another')}</button>
        </li>
      </ul>
    );
  return (
    <div>
      <TextField label={t('library.search')} type="search" placeholder={t('library.hint')} value={search} onText={setSearch} />
      <Problem error={error} />
      <p class="hint" aria-live="polite">{profiles ? found.length ? t('library.found', { n: found.length }) : t('library.none') : !error && t('library.loads')}</p>
      {!profiles && !error && <div class="progress" aria-hidden="true"><i /></div>}
      <ul class="entries library">
        {found.slice(0, SHOWN).map(({ profile }) => (
          <li key={profile.name}>
            <span><b>{profile.vendor} {profile.model}</b> <span class="quiet-line">{told(`category.${profile.category}`, profile.category.replace(/-/g, ' '))} · {t('library.points', { n: profile.read })}</span></span>
            <Trust profile={profile} />
            <button class="button small" type="button" onClick={() => choose(profile)}>
              {t('library.choose')}<span class="unseen"> {profile.vendor} {profile.model}</span>
            </button>
          </li>
        ))}
      </ul>
      {found.length > SHOWN && <p class="hint">{t('library.more')}</p>}
    </div>
  );
}
