/** Making and finding elements. Texts go in as text, never as HTML. */

type Attributes = Readonly<Record<string, string | boolean>>;

export function el<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(key, "");
    else if (value !== false) element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

/** The element with this id, of this kind. Throws where the page has none: then the page is not ours. */
export function byId<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`no ${id} in the page`);
  return found;
}

export function section(id: string): HTMLElement {
  return byId(id, HTMLElement);
}

/** Show `id` alone among the steps, and put the reader at its heading. */
export function showOnly(id: string, ids: readonly string[]): void {
  for (const each of ids) section(each).hidden = each !== id;
  const heading = section(id).querySelector<HTMLElement>("h2");
  heading?.focus({ preventScroll: true });
  window.scrollTo({ top: 0 });
}
