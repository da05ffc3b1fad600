import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';
import { type ApiError, newKey, post } from '../api';
import { info, may } from '../info';
import { Failure } from './states';

interface Action {
  readonly path: string;
  /** What is sent, of the values of the fields by their names. */
  readonly bodyOf: (valueOf: (field: string) => string) => object;
  readonly onDone: () => void;
}

interface ActionDialogProps extends Action {
  /** On the button that opens it, and its title. */
  readonly name: string;
  /** On the button that does it. */
  readonly confirm: string;
  readonly tone?: 'danger' | 'plain';
  readonly children?: ComponentChildren;
}

const READ_ONLY = 'This needs the scope ops:manage';

/** A button that asks before it does something, and tells why it was refused. What is sent twice is done once. */
export function ActionDialog({ name, confirm, tone = 'plain', children, ...action }: ActionDialogProps) {
  const { dialog, error, isBusy, open, act } = useAction(action);
  const mayAct = info.value !== undefined && may('ops:manage');
  return (
    <>
      <button type="button" class={tone} disabled={!mayAct} title={mayAct ? undefined : READ_ONLY} onClick={open}>
        {name}
      </button>
      <dialog ref={dialog} aria-label={name}>
        <form onSubmit={(event) => void act(event)}>
          <h2>{name}</h2>
          {children}
          <Failure error={error.value} />
          <div class="dialog-actions">
            <button type="button" onClick={() => dialog.current?.close()}>
              Leave it
            </button>
            <button type="submit" class={tone === 'danger' ? 'danger' : 'primary'} disabled={isBusy.value}>
              {confirm}
            </button>
          </div>
        </form>
      </dialog>
    </>
  );
}

/** What was sent and has no answer yet: sent again, it is the same, so that it is done once. */
interface Intention {
  readonly key: string;
  readonly body: object;
}

function useAction({ path, bodyOf, onDone }: Action) {
  const dialog = useRef<HTMLDialogElement>(null);
  const unanswered = useRef<Intention>(null);
  const error = useSignal<ApiError | undefined>(undefined);
  const isBusy = useSignal(false);
  const open = () => {
    unanswered.current = null;
    error.value = undefined;
    dialog.current?.showModal();
  };
  const act = async (event: SubmitEvent) => {
    event.preventDefault();
    if (!(event.currentTarget instanceof HTMLFormElement) || isBusy.value) return;
    const fields = new FormData(event.currentTarget);
    const intention = unanswered.current ?? { key: newKey(), body: bodyOf((field) => textOf(fields.get(field))) };
    unanswered.current = intention;
    error.value = undefined;
    isBusy.value = true;
    try {
      await post(path, intention.body, intention.key);
      dialog.current?.close();
      onDone();
    } catch (reason) {
      error.value = reason as ApiError;
      // What was refused changed nothing; the next try is another intention.
      if (error.value.isRefusal) unanswered.current = null;
    } finally {
      isBusy.value = false;
    }
  };
  return { dialog, error, isBusy, open, act };
}

function textOf(value: FormDataEntryValue | null): string {
  return typeof value === 'string' ? value : '';
}
