/** The percent at which the service has all bytes. Receiving moves it from 0 to this value, processing to 100. */
export const RECEIVE_SHARE_PERCENT = 30;
