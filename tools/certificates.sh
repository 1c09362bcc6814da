# pip, uv and npm each bring a list of certificate authorities of their own, in which a company's is not.
# Sourced by setup.sh: all three get the list that somebody named to any of them, or else the system's; and
# uv, which does not read pip's configuration, the index that is configured there.

pip_setting() { .venv/bin/python -m pip config get "global.$1" 2>/dev/null || true; }

index=${UV_DEFAULT_INDEX:-${UV_INDEX_URL:-${PIP_INDEX_URL:-$(pip_setting index-url)}}}
if [ -n "$index" ]; then
    export UV_DEFAULT_INDEX="$index"
fi

authorities=${SSL_CERT_FILE:-${PIP_CERT:-${REQUESTS_CA_BUNDLE:-${NODE_EXTRA_CA_CERTS:-$(pip_setting cert)}}}}
# macOS keeps them in a keychain, which uv, Node and a pip of 2024 or later read by themselves.
if [ -z "$authorities" ] && [ "$(uname)" != Darwin ]; then
    authorities=$(.venv/bin/python -c 'import ssl; print(ssl.get_default_verify_paths().cafile or "")')
fi
if [ -n "$authorities" ]; then
    export SSL_CERT_FILE="${SSL_CERT_FILE:-$authorities}"
    export PIP_CERT="${PIP_CERT:-${REQUESTS_CA_BUNDLE:-$authorities}}"
    export NODE_EXTRA_CA_CERTS="${NODE_EXTRA_CA_CERTS:-$authorities}"
fi
export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-true}"
export NODE_OPTIONS="--use-system-ca${NODE_OPTIONS:+ $NODE_OPTIONS}"
