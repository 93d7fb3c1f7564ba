/** Say what was typed in words, so that a slip of a key is seen at once. */

import { t } from "#shared/page.ts";
import { readAgeOrGrade } from "./sheet.ts";

/** Return 小学3年 for 小3, 35歳 for 35, and a hint for anything else. */
export function ageInWords(text: string): string {
  const read = readAgeOrGrade(text);
  if (read === null) return text.trim() === "" ? "" : t("keying.age.unknown");
  if ("age" in read) return t("keying.age.years", { age: read.age });
  return t(read.grade.startsWith("p") ? "keying.age.pupil" : "keying.age.junior", { year: read.grade.slice(1) });
}
