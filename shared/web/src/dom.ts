/** Make and find elements. Texts are inserted as text, never as HTML. */

type Attributes = Readonly<Record<string, string | boolean>>;

/** Make an element; an attribute `true` is set without a value, `false` is omitted. */
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

/** Return the element with this id and class. Throws if the page has none. */
export function byId<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`no ${id} in the page`);
  return found;
}

/** Return the element with this id. */
export function section(id: string): HTMLElement {
  return byId(id, HTMLElement);
}

/** Show `id` alone among `ids`, and focus its heading. */
export function showOnly(id: string, ids: readonly string[]): void {
  for (const each of ids) section(each).hidden = each !== id;
  const heading = section(id).querySelector<HTMLElement>("h2");
  heading?.focus({ preventScroll: true });
  window.scrollTo({ top: 0 });
}
