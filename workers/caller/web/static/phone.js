/* One photo goes up, and says what became of it. A photo that is larger than need be is made smaller first: a page of
 * paper reads well at 2400 pixels, and a line in the country carries it. */
'use strict';
const SIDE = 2400;
const file = document.getElementById('file'), said = document.getElementById('said');

async function smaller(one) {
  if (!one.type.startsWith('image/') || one.size < 1500000 || !window.createImageBitmap) return one;
  try {
    const bitmap = await createImageBitmap(one);
    const k = Math.min(1, SIDE / Math.max(bitmap.width, bitmap.height));
    const canvas = document.createElement('canvas');
    canvas.width = Math.round(bitmap.width * k);
    canvas.height = Math.round(bitmap.height * k);
    canvas.getContext('2d').drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise(done => canvas.toBlob(done, 'image/jpeg', .85));
    return blob || one;
  } catch (e) {
    return one;
  }
}

file.addEventListener('change', async () => {
  if (!file.files.length) return;
  file.disabled = true;
  said.textContent = '正在上传…';
  try {
    const token = location.pathname.split('/').pop();
    const r = await fetch(`/api/evidence/${token}`, {method: 'POST', body: await smaller(file.files[0]),
      headers: {'Content-Type': 'application/octet-stream'}, credentials: 'omit'});
    const o = await r.json().catch(() => ({}));
    if (r.ok && o.evidence) {
      said.textContent = '收到了，可以关掉这一页。';
      return;
    }
    said.textContent = o.error ? o.error.text : r.status === 410 ? '这个链接已经用过，或者过期了；请在电脑上再点一次。'
      : '没有传上去，请再试一次。';
  } catch (e) {
    said.textContent = '网络不通，没有传上去；请再试一次。';
  }
  file.value = '';
  file.disabled = false;
});
