/* A key that belongs to an input method is never ours: while it composes, and the key that ends it (229, which can come
 * after compositionend). Both pages ask here. */
export const composing = e => e.isComposing || e.keyCode === 229;
