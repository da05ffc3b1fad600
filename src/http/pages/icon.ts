import type { FixedContent } from './fixed-content.js';

/** A box with a tick: sold, and there. Drawn for 16 pixels; readable on a light and on a dark tab. */
const SVG = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
<rect x="2" y="2" width="28" height="28" rx="7" fill="#1d4ed8"/>
<path d="M9 16.5l5 5L23.5 11" fill="none" stroke="#fff" stroke-width="4" stroke-linecap="round" stroke-linejoin="round"/>
</svg>
`;

/** The icon of all pages. Browsers also ask for this path by themselves. */
export const ICON: FixedContent = { path: '/favicon.ico', access: 'public', type: 'image/svg+xml', content: SVG };
