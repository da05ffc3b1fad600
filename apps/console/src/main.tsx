import { render } from 'preact';
import type { FunctionComponent } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import 'uplot/dist/uPlot.min.css';
import './style/tokens.css';
import './style/console.css';
import { addressOf } from './api';
import { info, loadInfo, may } from './info';
import { ActionsPage } from './pages/actions';
import { AuditPage } from './pages/audit';
import { KeysPage } from './pages/keys';
import { NowPage } from './pages/now/page';
import { OrderPage } from './pages/order';
import { OrdersPage } from './pages/orders';
import { ProductPage } from './pages/product';
import { ProductsPage } from './pages/products';
import { QueuesPage } from './pages/queues';
import { hrefOf, route } from './route';

interface Place {
  readonly path: string;
  readonly name: string;
  /** What one must be allowed to see it. */
  readonly scope: string;
  readonly page: FunctionComponent;
  /** Of one thing below the path. */
  readonly detail?: FunctionComponent<{ id: number }>;
}

const PLACES: readonly Place[] = [
  { path: '/', name: 'Now', scope: 'ops:read', page: NowPage },
  { path: '/products', name: 'Products', scope: 'products:read', page: ProductsPage, detail: ProductPage },
  { path: '/orders', name: 'Orders', scope: 'orders:read', page: OrdersPage, detail: OrderPage },
  { path: '/queues', name: 'Queues', scope: 'ops:read', page: QueuesPage },
  { path: '/audit', name: 'Audit', scope: 'ops:read', page: AuditPage },
  { path: '/actions', name: 'Actions', scope: 'ops:read', page: ActionsPage },
  { path: '/keys', name: 'Keys', scope: 'keys:manage', page: KeysPage },
];

function Console() {
  const { parts } = route.value;
  const here = PLACES.find(({ path }) => path === `/${parts[0] ?? ''}`);
  const main = useRef<HTMLElement>(null);
  const place = parts.join('/');
  const isFirst = useRef(true);
  useEffect(() => {
    document.title = `${here?.name ?? 'Not found'} · Order system`;
    // A reader of the screen goes on where the new page begins.
    if (!isFirst.current) main.current?.focus();
    isFirst.current = false;
    scrollTo(0, 0);
  }, [place]);
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => (event.preventDefault(), main.current?.focus())}>
        Skip to the content
      </a>
      <Navigation here={here} />
      <main ref={main} id="main" tabIndex={-1}>
        <ReadOnlyNotice />
        <PageOf place={here} id={parts[1]} />
      </main>
    </>
  );
}

function PageOf({ place, id }: { readonly place: Place | undefined; readonly id: string | undefined }) {
  const NotFound = (
    <>
      <h1>There is nothing here</h1>
      <p class="empty">
        <a href={hrefOf('/')}>To the first page</a>
      </p>
    </>
  );
  if (place === undefined) return NotFound;
  if (!may(place.scope)) return <NotAllowed place={place} />;
  if (id === undefined) return <place.page />;
  return place.detail === undefined || !/^\d+$/.test(id) ? NotFound : <place.detail key={id} id={Number(id)} />;
}

function NotAllowed({ place: { name, scope } }: { readonly place: Place }) {
  return (
    <>
      <h1>{name}</h1>
      <p class="empty">This needs the scope {scope}, which your key does not have.</p>
    </>
  );
}

function Navigation({ here }: { readonly here: Place | undefined }) {
  const beside = info.value;
  const dashboard =
    beside?.dashboard_url ?? `${location.protocol}//${location.hostname}:${beside?.dashboard_port ?? 5555}/`;
  return (
    <nav aria-label="Console">
      <a class="brand" href={hrefOf('/')}>
        <Logo />
        <span>Order system</span>
      </a>
      <ul>
        {PLACES.filter(({ scope }) => may(scope)).map((place) => (
          <li key={place.path}>
            <PlaceLink place={place} isHere={place === here} />
          </li>
        ))}
      </ul>
      <ul class="beside">
        <li>
          <a href={addressOf('docs')}>API</a>
        </li>
        <li>
          <a href={dashboard}>Jobs</a>
        </li>
      </ul>
      <small class="version">
        {beside === undefined ? '' : `Version ${beside.version}`}
        {(beside?.actor ?? null) === null ? '' : `, as ${beside?.actor}`}
      </small>
    </nav>
  );
}

function PlaceLink({ place, isHere }: { readonly place: Place; readonly isHere: boolean }) {
  const link = useRef<HTMLAnchorElement>(null);
  // On a phone the row of places is wider than the screen. (`scrollIntoView` would have Tab begin here.)
  useEffect(() => {
    const [row, spot] = [link.current?.closest('nav'), link.current?.getBoundingClientRect()];
    if (isHere && row && spot) row.scrollLeft += spot.left + spot.width / 2 - row.clientWidth / 2;
  }, [isHere]);
  return (
    <a ref={link} href={hrefOf(place.path)} aria-current={isHere ? 'page' : undefined}>
      {place.name}
    </a>
  );
}

function ReadOnlyNotice() {
  if (may('ops:manage')) return null;
  return <p class="notice">You can look, but not act: that needs the scope ops:manage.</p>;
}

function Logo() {
  return (
    <svg viewBox="0 0 32 32" width="24" height="24" aria-hidden="true">
      <rect x="2" y="2" width="28" height="28" rx="7" fill="#1d4ed8" />
      <path
        d="M9 16.5l5 5L23.5 11"
        fill="none"
        stroke="#fff"
        stroke-width="4"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  );
}

void loadInfo();
render(<Console />, document.body);
