/* A table on the page: what it shows is what its CSV holds, cell by cell. */
'use strict';

function el(tag, text, cls) {
  const e = document.createElement(tag);
  e.textContent = text;
  if (cls) e.className = cls;
  return e;
}

/* 30 bars; also said in words for who does not see them. */
function spark(values, words) {
  const ns = 'http://www.w3.org/2000/svg', svg = document.createElementNS(ns, 'svg'), top = Math.max(1, ...values);
  svg.setAttribute('viewBox', `0 0 ${values.length * 4} 20`);
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', words);
  svg.append(...values.map((n, i) => {
    const bar = document.createElementNS(ns, 'rect'), h = Math.round(18 * n / top) + (n > 0 ? 1 : 0);
    for (const [k, v] of Object.entries({x: i * 4, y: 20 - h, width: 3, height: h})) bar.setAttribute(k, v);
    return bar;
  }));
  return svg;
}

/* One that begins like a formula gets an apostrophe, as in every sheet of ours. */
const quoted = text => {
  const safe = /^[=+\-@\t\r]./.test(text) && !/^-?\d+(\.\d+)?$/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
};

function csvOf(table) {
  const line = row => [...row.cells].map(c => quoted(c.dataset.text || c.textContent)).join(',');
  return '\ufeff' + [...table.rows].map(line).join('\r\n') + '\r\n';
}

function download(name, text) {
  const a = document.createElement('a'), url = URL.createObjectURL(new Blob([text], {type: 'text/csv'}));
  a.href = url;
  a.download = name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

/* columns: names; rows: arrays of texts, numbers, or {text, draw: element}; the last `sums` rows are sums. */
function showTable(id, columns, rows, sums = 0) {
  const box = document.getElementById(id), head = columns.join();
  if (box.dataset.head !== head) {
    const table = document.createElement('table'), top = document.createElement('tr'), button = el('button', '导出 CSV');
    button.type = 'button';
    button.addEventListener('click', () => download(`${id}.csv`, csvOf(table)));
    for (const c of columns) {
      const th = el('th', c);
      th.scope = 'col';
      top.append(th);
    }
    table.append(document.createElement('thead'), document.createElement('tbody'));
    table.tHead.append(top);
    table.setAttribute('aria-labelledby', `h-${id}`);
    box.replaceChildren(table, button);
    box.dataset.head = head;
  }
  box.hidden = rows.length === 0;
  for (const [i, th] of [...box.querySelectorAll('th')].entries()) th.className = rows.length > 0 && typeof rows[0][i] === 'number' ? 'n' : '';
  box.querySelector('tbody').replaceChildren(...rows.map((cells, at) => {
    const tr = document.createElement('tr');
    tr.append(...cells.map(c => {
      const td = el('td', typeof c === 'object' ? '' : c, typeof c === 'number' ? 'n' : '');
      if (typeof c === 'object') {
        td.append(c.draw);
        td.dataset.text = c.text;
      }
      return td;
    }));
    if (at >= rows.length - sums) tr.className = 'sum';
    return tr;
  }));
}
