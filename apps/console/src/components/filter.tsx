import { useRef } from 'preact/hooks';

const PAUSE_MS = 300;

interface TextFilterProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

/** A text that filters a list, a moment after somebody has stopped typing. */
export function TextFilter({ label, value, onChange }: TextFilterProps) {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const onInput = ({ currentTarget }: { readonly currentTarget: HTMLInputElement }) => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => onChange(currentTarget.value.trim()), PAUSE_MS);
  };
  return (
    <label class="filter">
      <span>{label}</span>
      <input type="search" defaultValue={value} onInput={onInput} autocomplete="off" spellcheck={false} />
    </label>
  );
}

interface ChoiceFilterProps {
  readonly label: string;
  readonly value: string;
  readonly choices: readonly string[];
  readonly onChange: (value: string) => void;
}

export function ChoiceFilter({ label, value, choices, onChange }: ChoiceFilterProps) {
  return (
    <label class="filter">
      <span>{label}</span>
      <select value={value} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
        <option value="">all</option>
        {choices.map((choice) => (
          <option value={choice} key={choice}>
            {choice}
          </option>
        ))}
      </select>
    </label>
  );
}
