import type { Words } from './words.ts';

const STEPS: Readonly<Record<string, string>> = {
  inspect: '正在读取信息',
  decode: '正在打开图片',
  orient: '正在校正方向',
  variants: '正在生成各种尺寸',
  rows: '正在读取各行',
};

const TYPES: Readonly<Record<string, string>> = {
  string: '文本',
  integer: '整数',
  number: '数字',
  boolean: '是或否',
  date: '日期',
  datetime: '日期和时间',
  time: '时间',
  duration: '时长',
  empty: '空',
};

const WARNINGS: Readonly<Record<string, string>> = {
  encoding_guessed: '文字编码是推测的。如果文字显示不正确，请指定编码后重新上传。',
  rows_above_table: '表格上方的行（例如标题）已略去。',
  other_sheets: '只读取了一个工作表，其他工作表未处理。',
};

const ROW_ERRORS: Readonly<Record<string, string>> = {
  stray_quote: '引号的位置不对',
  too_few_cells: '单元格太少',
  too_many_cells: '单元格太多',
};

/** By the name of the quota. */
const QUOTAS: Readonly<Record<string, string>> = {
  waiting: '你等待处理的文件太多。请稍后重试。',
  receiving: '你同时发送的文件太多。请稍后重试。',
  uploadsPerDay: '今天的上传次数已用完。请明天再试。',
  bytesPerDay: '今天的上传流量已用完。请明天再试。',
  storedBytes: '你的存储空间已用完。请删除一些文件，或等旧文件过期后再试。',
  createPerMinute: '一分钟内上传次数太多。请一分钟后重试。',
};

/** Why the server refused a file for now, by the name of the quota or the code. */
const REFUSALS: Readonly<Record<string, string>> = {
  waiting: '你等待处理的文件太多',
  receiving: '你同时发送的文件太多',
  uploadsPerDay: '今天的上传次数已用完',
  bytesPerDay: '今天的上传流量已用完',
  storedBytes: '你的存储空间已用完',
  createPerMinute: '一分钟内上传次数太多',
  queue_full: '等待处理的文件太多',
  too_many_queued_by_address: '你等待处理的文件太多',
};

/** Details from the server are in English. These texts replace them by code if the user can do something about it. */
const PROBLEMS: Readonly<Record<string, string>> = {
  connection_lost: '无法连接服务器。请检查网络后重试。',
  unexpected_answer: '服务器返回了无法识别的内容。请稍后重试。',
  upload_interrupted: '发送中途连接断开。请重试。',
  upload_too_slow: '发送中断太久。请重试。',
  queue_full: '等待处理的文件太多。请稍后重试。',
  too_many_records: '服务器保存的文件太多。请稍后重试。',
  too_many_records_by_address: '服务器保存的你的文件太多。请稍后重试。',
  too_many_queued_by_address: '你等待处理的文件太多。请稍后重试。',
  upload_discarded: '队列已满，这个文件被移出。请重试。',
  upload_gone: '这个文件已过期或已删除。',
  unknown_upload: '服务器上没有这个文件。请重新发送。',
  ticket_required: '此服务器只接受通过上传链接发送的文件。请打开应用提供的链接。',
  ticket_invalid: '上传链接无效。请在应用中重新打开，然后重试。',
  ticket_expired: '上传链接已过期。请在应用中重新打开，然后重试。',
  ticket_forbids: '上传链接不允许这个文件。',
  ticket_unavailable: '应用目前不允许这次上传。请重新登录后再试。',
  quota_exceeded: '上传额度已用完。请稍后重试。',
  upload_conflict: '同一编号下已有另一个文件。',
  empty_file: '文件是空的。',
  file_too_large: '文件太大。',
  request_too_large: '文件太大。',
  unsupported_media_type:
    '不支持这种文件。请选择 JPEG、HEIC、PNG、WebP、AVIF、GIF、TIFF 图片，或 CSV、TSV、XLSX 表格。',
  picture_damaged: '图片已损坏，无法读取。',
  picture_unsupported: '无法读取这种编码的图片。请另存为 JPEG 或 PNG 后再试。',
  picture_too_large: '图片尺寸过大。',
  picture_too_costly: '要生成的图片过大或过多。请减少数量或尺寸。',
  picture_timeout: '图片处理时间过长，已停止。',
  picture_crashes_worker: '这张图片多次使读取程序崩溃。请用其他软件另存后再上传。',
  table_damaged: '表格已损坏，无法读取。',
  table_encrypted: '表格已加密。请不加密码保存后再发送。',
  table_line_too_long: '表格中有一行过长。',
  table_too_large: '表格过大。',
  file_damaged: '文件已损坏，无法读取。',
  file_timeout: '文件处理时间过长，已停止。',
  file_too_costly: '处理这个文件需要过多内存或空间。请缩小文件后再上传。',
  file_crashes_worker: '这个文件多次使读取程序崩溃。请用其他软件另存后再上传。',
  storage_full: '服务器存储空间不足。',
  storage_unavailable: '服务器存储暂时不可用。请稍后重试。',
  too_many_uploads: '服务器正忙。请稍后重试。',
  too_many_uploads_by_address: '同时发送的文件太多。请稍后重试。',
  service_unavailable: '服务暂时不可用。请稍后重试。',
  shutting_down: '服务正在重启。请稍后重试。',
  processing_failed: '处理失败，原因在服务器。请重试。',
  internal_error: '服务器出错。请重试。',
};

/** The texts in simplified Chinese. */
export const chinese: Words = {
  locale: 'zh-CN',
  page: {
    heading: '上传文件',
    lead: '文件在后台处理。每个文件的进度和结果都在这里。',
    drop: '把文件拖到或粘贴到这里',
    touch: '添加照片或表格',
    release: '松开即可上传',
    hint: '支持 JPEG、HEIC、PNG、WebP、AVIF、GIF 和 TIFF 图片，以及 CSV、TSV 和 XLSX 表格。',
    choose: '选择文件',
    camera: '拍照',
    folder: '选择文件夹',
    'no-workers': '服务器上没有正在运行的处理进程，文件正在等待。恢复后会自动继续。',
    offline: '暂时连不上服务器。恢复后会自动继续。',
    'try-now': '立即重试',
    list: '你的文件',
    overall: '总进度',
    'cancel-all': '全部取消',
    'hide-finished': '隐藏已结束的',
    show: '显示',
    pictures: '你的图片',
    reference: 'API 文档',
    client: '网页客户端',
  },
  files: (count) => `${count} 个文件`,
  waiting: '等待发送',
  sending: (received, total) => `正在发送，${received} / ${total}`,
  pausedEarly: '已暂停',
  paused: (received, total) => `已暂停，${received} / ${total}`,
  retrying: '连接断开，即将重试',
  waitingForServer: '正在等待服务器',
  nextTry: (seconds) => `${seconds} 秒后重试。`,
  refused: ({ code, limit }) => `${REFUSALS[limit ?? code] ?? '服务器正忙'}，稍后自动重试`,
  queued: (position) => {
    if (position === null) return '排队中';
    return position === 1 ? '下一个就是它' : `排在第 ${position} 位`;
  },
  step: (stage) => STEPS[stage] ?? '处理中',
  attempt: (attempt) => `第 ${attempt} 次尝试`,
  finishing: '即将完成',
  cancelling: '正在取消',
  done: '完成',
  doneWithNotes: '完成，有说明',
  cancelled: '已取消',
  timeLeft: (duration) => `大约还需 ${duration}`,
  problem: ({ code, limit, detail, title }) => QUOTAS[limit ?? ''] ?? PROBLEMS[code] ?? (detail || title),
  needsFile: '页面关闭前没有全部发送。请重新选择这个文件，会从中断处继续。',
  wrongFile: (expected) => `这不是同一个文件。这里需要的是 ${expected}。`,
  actions: {
    pause: (name) => `暂停 ${name}`,
    resume: (name) => `继续 ${name}`,
    cancel: (name) => `取消 ${name}`,
    hide: (name) => `隐藏 ${name}`,
    retry: '重试',
    chooseAgain: '重新选择',
    named: (action, name) => `${action}：${name}`,
    pauseAll: '全部暂停',
    resumeAll: '全部继续',
  },
  facts: {
    dimensions: '尺寸',
    format: '格式',
    camera: '相机',
    lens: '镜头',
    exposure: '曝光',
    taken: '拍摄时间',
    colour: '主色',
  },
  links: {
    open: (name) => `打开 ${name}`,
    variants: '各种尺寸',
    original: '原文件',
    copy: '复制链接',
    copied: '已复制',
    notCopied: '此处无法复制',
  },
  table: {
    size: '大小',
    sizeOf: (rows, columns) => `${rows} 行，${columns} 列`,
    encoding: '编码',
    sheet: '工作表',
    firstRows: '前几行',
    type: (type) => TYPES[type] ?? type,
    notes: '关于此结果的说明',
    rowsSkipped: (count) => `略去 ${count} 行`,
    error: (line, code) => `第 ${line} 行：${ROW_ERRORS[code] ?? '无法读取'}`,
    moreErrors: (count) => `另有 ${count} 行有错误`,
    warning: (code, message) => WARNINGS[code] ?? message,
    download: '全部行（JSON Lines）',
  },
  summary: (done, total, failed) => {
    const all = `共 ${total} 个，已完成 ${done} 个`;
    return failed === 0 ? all : `${all}，未成功 ${failed} 个`;
  },
  sent: (sent, total) => `已发送 ${sent} / ${total}`,
  filters: {
    all: (count) => `全部 ${count}`,
    working: (count) => `进行中 ${count}`,
    failed: (count) => `未成功 ${count}`,
    done: (count) => `已完成 ${count}`,
  },
  progressOf: (name) => `${name} 的进度`,
  title: { idle: '上传文件', busy: (percent) => `${percent} · 上传文件`, over: (done) => `完成 ${done} 个 · 上传文件` },
  spoken: {
    added: (count) => `已添加 ${count} 个文件。`,
    done: (name, hasNotes) => (hasNotes ? `${name} 已完成，结果有说明。` : `${name} 已完成。`),
    manyDone: (count) => `${count} 个文件已完成。`,
    failed: (name, reason) => `${name}：${reason}`,
    manyFailed: (count) => `${count} 个文件未成功。`,
  },
};
