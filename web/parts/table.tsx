// A table that stays one on a narrow screen, where its rows are drawn as cards. Arrow keys go from row to row.
import type { ComponentChildren, JSX } from "preact";

export interface Column<Row> {
  readonly key: string;
  readonly head: string;
  readonly cell: (row: Row) => ComponentChildren;
  /** Numbers stand under each other. */
  readonly numeric?: boolean;
  /** Its text may take several lines. */
  readonly long?: boolean;
  /** Names the row. */
  readonly names?: boolean;
  /** Its heading is for screen readers alone. */
  readonly quiet?: boolean;
}

interface TableProps<Row> {
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => string;
}

export function Table<Row>({ caption, columns, rows, rowKey }: TableProps<Row>): JSX.Element {
  return (
    <div class="table-box">
      <table role="table" onKeyDown={moveByKey}>
        <caption class="unseen">{caption}</caption>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map(({ key, head, numeric = false, quiet = false }) => (
              <th key={key} role="columnheader" scope="col" class={numeric ? "numeric" : undefined}>
                <span class={quiet ? "unseen" : undefined}>{head}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map((row) => (
            <tr key={rowKey(row)} role="row" data-row={rowKey(row)}>
              {columns.map((column) => (
                <Cell key={column.key} column={column} row={row} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Cell<Row>({ column, row }: { readonly column: Column<Row>; readonly row: Row }): JSX.Element | null {
  const { head, cell, names = false } = column;
  const className = (["numeric", "quiet", "long"] as const).filter((name) => column[name] === true).join(" ");
  const inside = (
    <>
      <span class="cell-head" aria-hidden="true">
        {head}
      </span>
      <span class="cell">{cell(row)}</span>
    </>
  );
  if (names)
    return (
      <th role="rowheader" scope="row" class={className}>
        {inside}
      </th>
    );
  return (
    <td role="cell" class={className}>
      {inside}
    </td>
  );
}

function moveByKey(event: KeyboardEvent): void {
  const down = event.key === "ArrowDown" || event.key === "j";
  if (!(down || event.key === "ArrowUp" || event.key === "k") || event.ctrlKey || event.altKey || event.metaKey) return;
  const at = event.target;
  if (!(at instanceof HTMLElement) || at.matches("input, select, textarea")) return;
  const row = at.closest("tbody tr");
  const next = down ? row?.nextElementSibling : row?.previousElementSibling;
  const target = next?.querySelector("a, button");
  if (!(target instanceof HTMLElement)) return;
  event.preventDefault();
  target.focus();
}
