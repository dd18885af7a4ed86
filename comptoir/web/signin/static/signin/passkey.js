// Passkeys (WebAuthn): form[data-passkey] is "login", "get" or "create". Options come as JSON from the page
// (#passkey-options), or for a login from the form's address; the answer goes back in the field "credential".

const decode = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const encode = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

const opened = (options) => {
  const key = options.publicKey;
  const credentials = (list) => list?.map((one) => ({ ...one, id: decode(one.id) }));
  return {
    ...key,
    challenge: decode(key.challenge),
    ...(key.user && { user: { ...key.user, id: decode(key.user.id) } }),
    ...(key.allowCredentials && { allowCredentials: credentials(key.allowCredentials) }),
    ...(key.excludeCredentials && { excludeCredentials: credentials(key.excludeCredentials) }),
  };
};

const closed = (credential) => {
  const { response } = credential;
  const part = (name) => (response[name] ? { [name]: encode(response[name]) } : {});
  return {
    id: credential.id,
    rawId: encode(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: {
      ...part("clientDataJSON"), ...part("attestationObject"), ...part("authenticatorData"),
      ...part("signature"), ...part("userHandle"),
      ...(response.getTransports && { transports: response.getTransports() }),
    },
  };
};

const ask = async (form) => {
  const kind = form.dataset.passkey;
  if (kind === "create") {
    const publicKey = opened(JSON.parse(document.getElementById("passkey-options").textContent).creation_options);
    const alone = form.elements.passwordless?.checked ?? false;
    publicKey.authenticatorSelection = {
      ...publicKey.authenticatorSelection,
      residentKey: alone ? "required" : "discouraged",
      requireResidentKey: alone,
      ...(alone && { userVerification: "required" }),
    };
    return navigator.credentials.create({ publicKey });
  }
  const given =
    kind === "login"
      ? await (await fetch(form.action, { headers: { Accept: "application/json" } })).json()
      : JSON.parse(document.getElementById("passkey-options").textContent);
  return navigator.credentials.get({ publicKey: opened(given.request_options) });
};

for (const form of document.querySelectorAll("[data-passkey]")) {
  if (!window.PublicKeyCredential) continue;
  form.hidden = false;
  const failed = form.querySelector("[data-failed]");
  form.querySelector("button").addEventListener("click", async () => {
    failed.textContent = "";
    try {
      form.elements.credential.value = JSON.stringify(closed(await ask(form)));
      form.submit();
    } catch {
      failed.textContent = failed.dataset.failed;
    }
  });
}
