/* The same words in both languages: who needs it can read it. */
import {english, isEnglish} from './lang.js';

export function LanguageSwitch() {
  return <button type="button" class="small" lang={isEnglish() ? 'zh' : 'en'} onClick={() => english(!isEnglish())}>{isEnglish() ? '中文' : 'English'}</button>;
}
