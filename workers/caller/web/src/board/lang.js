/* Chinese is what is written; English by the switch. What has no English is shown as it is written. */
import {B} from './state.js';

export const EN = {
};
export const _ = zh => B.lang === 'en' && EN[zh] || zh;
