/** One line of a form: its label, what belongs there, and what is wrong with it, tied together for screen readers. */
import type { ComponentChildren, JSX } from 'preact';
import { useId } from 'preact/hooks';
import { t } from '../lib/text';

interface FieldProps {
  label: string;
  hint?: ComponentChildren;
  /** What is wrong with it. */
  wrong?: string;
  children: (props: { id: string; 'aria-describedby'?: string; 'aria-invalid'?: boolean }) => JSX.Element;
}

export function Field({ label, hint, wrong, children }: FieldProps) {
  const id = useId();
  const described = [hint && `${id}-hint`, wrong && `${id}-wrong`].filter(Boolean).join(' ');
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({ id, 'aria-describedby': described || undefined, 'aria-invalid': wrong ? true : undefined })}
      {hint && <p class="hint" id={`${id}-hint`}>{hint}</p>}
      {wrong && <p class="wrong" id={`${id}-wrong`}>{wrong}</p>}
    </div>
  );
}

interface TextFieldProps {
  label: string;
  hint?: ComponentChildren;
  wrong?: string;
  value: string;
  onText: (text: string) => void;
  type?: 'text' | 'password' | 'search' | 'number';
  name?: string;
  class?: string;
  autocomplete?: string;
  /** What phones would capitalise: "none" for ids. */
  autocapitalize?: string;
  spellcheck?: boolean;
  required?: boolean;
  pattern?: string;
  /** What fits, for those who filled in what does not. */
  title?: string;
  /** One wanted to go on: what does not fit is told beside the field, where no bubble of the browser hides the hint. */
  tried?: boolean;
  minLength?: number;
  maxLength?: number;
  placeholder?: string;
  inputmode?: 'decimal' | 'numeric' | 'text';
}

const fits = ({ value, pattern = '', minLength = 0, required }: TextFieldProps): boolean =>
  value ? value.length >= minLength && (!pattern || new RegExp(`^(?:${pattern})$`).test(value)) : !required;

export function TextField(props: TextFieldProps) {
  // Where none is said browsers fill in the password of whoever is logged in.
  const { label, hint, tried, onText, autocomplete = props.type === 'password' ? 'new-password' : undefined, class: more = '', wrong = tried && !fits(props) ? props.title : undefined, ...given } = props;
  const input = given as JSX.IntrinsicElements['input'];
  return (
    <Field label={label} hint={hint === wrong ? undefined : hint} wrong={wrong}>
      {(tied) => <input {...input} {...tied} autocomplete={autocomplete} class={`input ${more}`} onInput={(event) => onText(event.currentTarget.value)} />}
    </Field>
  );
}

/** What an id is made of: of the gateway, a line, a device, a broker. An account's is shorter. */
export const idField = (n = 63) => ({ required: true, pattern: `[a-z0-9_\\-]{1,${n}}`, title: t('form.id', { n }), autocapitalize: 'none', spellcheck: false });

interface ChoiceProps<T extends string> {
  label: string;
  hint?: ComponentChildren;
  value: T;
  choices: readonly (readonly [T, string])[];
  onChoice: (value: T) => void;
}

export function Choice<T extends string>({ label, hint, value, choices, onChoice }: ChoiceProps<T>) {
  return (
    <Field label={label} hint={hint}>
      {(tied) => (
        <select class="input" {...tied} value={value} onChange={(event) => onChoice(event.currentTarget.value as T)}>
          {choices.map(([key, name]) => <option key={key} value={key}>{name}</option>)}
        </select>
      )}
    </Field>
  );
}
