// The sale that was sent and of which this device has shown nothing yet: kept while the page may be cut off from
// the server, so that a reload, the browser's back button or another tab leads to it and not to a second one.

const NAME = "comptoir.counter.sale";

const kept = (work) => {
  try {
    return work(localStorage);
  } catch {
    return null; // no storage here: the address of the page is what remains
  }
};

export const unfinished = {
  address: () => {
    const address = kept((storage) => storage.getItem(NAME));
    return address?.startsWith("/counter/sale/") ? address : null;
  },
  is: (address) => unfinished.address()?.split("?")[0] === address,
  begin: (address) => kept((storage) => storage.setItem(NAME, address)),
  end: (address) => {
    if (unfinished.is(address)) kept((storage) => storage.removeItem(NAME));
  },
};
