/* What everybody must have read: a new script, a new stage. A mark's record says read:ID. */
export function notices({script = {}, stage, pass}) {
  const out = [];
  if (script.version) out.push({id: `script:${script.version}:${stage || ''}`, text: `话术 ${script.version}`, more: script.by ? `${script.by} ${script.date || ''}` : '', lines: script.text || []});
  if (stage) out.push({id: `stage:${stage}:${pass || ''}`, text: `现在是阶段 ${stage}${pass ? `，第 ${pass} 批` : ''}`, lines: []});
  return out;
}
export const noticeText = id => {
  const [what, a, b] = id.split(':');
  return what === 'script' ? `话术 ${a}${b ? ` · 阶段 ${b}` : ''}` : what === 'stage' ? `阶段 ${a}${b ? ` · 第 ${b} 批` : ''}` : id;
};
