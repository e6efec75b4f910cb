// The token that the address carries: it is kept for this tab, and leaves the address bar.
const KEPT = "ion.token";

export function takeToken() {
  const given = new URLSearchParams(location.search).get("token");
  if (given) {
    sessionStorage.setItem(KEPT, given);
    history.replaceState(null, "", location.pathname + location.hash);
  }
}

export const token = () => sessionStorage.getItem(KEPT);

/** Forget a token that the console doesn't know: it has been started anew. */
export const dropToken = () => sessionStorage.removeItem(KEPT);
