import type { ServiceFigures } from '../../wire/documents.ts';
import { make, required } from '../dom.ts';
import { formatAge, formatCount } from './format-figures.ts';

/** Shows why uploads failed in the last hour: each error code, with its newest examples. */
export function showFailureReasons({ failuresByCode, at }: ServiceFigures): void {
  required('#reasons', HTMLElement).hidden = failuresByCode.length === 0;
  required('#reasons-none', HTMLElement).hidden = failuresByCode.length > 0;
  const nowMs = Date.parse(at);
  const rows = failuresByCode.map(({ code, count, examples }) => {
    const lines = examples.map((example) =>
      make(
        'div',
        'example',
        example.detail,
        make('span', 'id', `${example.ref}, ${formatAge(Math.max(0, nowMs - Date.parse(example.at)))} ago`),
      ),
    );
    return make('tr', '', make('td', '', code), make('td', 'number', formatCount(count)), make('td', 'wide', ...lines));
  });
  required('#reason-rows', HTMLElement).replaceChildren(...rows);
}
