import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';
import { act as send, type ActionMethod, type ApiError, type Intention, newKey } from '../api';
import { info, may } from '../info';
import { Failure } from './states';

interface Action {
  readonly method?: ActionMethod;
  readonly path: string;
  /** What is sent, of the values of the fields by their names. */
  readonly bodyOf: (valueOf: (field: string) => string) => object;
  /** Told what the API has answered. */
  readonly onDone: (answer: unknown) => void;
}

interface ActionDialogProps extends Action {
  /** On the button that opens it, and its title. */
  readonly name: string;
  /** Its name for readers of the screen, where several have the same. */
  readonly label?: string;
  /** What one must be allowed to do it. */
  readonly scope?: string;
  /** On the button that does it. */
  readonly confirm: string;
  readonly tone?: 'danger' | 'plain';
  readonly children?: ComponentChildren;
}

/** A button that asks before it does something, and tells why it was refused. What is sent twice is done once. */
export function ActionDialog(props: ActionDialogProps) {
  const { name, label = name, scope = 'ops:manage', confirm, tone = 'plain', children, ...action } = props;
  const { dialog, error, isBusy, open, act } = useAction(action);
  const mayAct = info.value !== undefined && may(scope);
  const hint = mayAct ? undefined : `This needs the scope ${scope}`;
  return (
    <>
      <button type="button" class={tone} aria-label={label} disabled={!mayAct} title={hint} onClick={open}>
        {name}
      </button>
      <dialog ref={dialog} aria-label={label}>
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

function useAction({ method = 'POST', path, bodyOf, onDone }: Action) {
  const dialog = useRef<HTMLDialogElement>(null);
  // What was sent and has no answer yet: sent again, it is the same, so that it is done once.
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
    const body = bodyOf((field) => textOf(fields.get(field)));
    const intention = unanswered.current ?? { method, path, key: newKey(), body };
    unanswered.current = intention;
    error.value = undefined;
    isBusy.value = true;
    try {
      const answer = await send<unknown>(intention);
      dialog.current?.close();
      onDone(answer);
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
