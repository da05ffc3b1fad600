import { useEffect, useRef } from 'preact/hooks';

const PAUSE_MS = 300;

interface TextFilterProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

/** A text that filters a list, a moment after somebody has stopped typing. */
export function TextFilter({ label, value, onChange }: TextFilterProps) {
  const input = useRef<HTMLInputElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const latest = useRef(onChange);
  latest.current = onChange;
  useEffect(() => () => clearTimeout(timer.current), []);
  useEffect(() => {
    // The address was changed by something else than this input.
    if (input.current !== null && input.current !== document.activeElement) input.current.value = value;
  }, [value]);
  const onInput = () => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => latest.current(input.current?.value.trim() ?? ''), PAUSE_MS);
  };
  return (
    <label class="filter">
      <span>{label}</span>
      <input ref={input} type="search" onInput={onInput} autocomplete="off" spellcheck={false} />
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
