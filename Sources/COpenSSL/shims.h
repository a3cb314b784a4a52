// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdint.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

// Macros over SSL_CTX_ctrl and SSL_ctrl, which Swift does not see.
static inline long apus_SSL_CTX_set_min_proto_version(SSL_CTX *ctx, int version) {
    return SSL_CTX_set_min_proto_version(ctx, version);
}

static inline long apus_SSL_CTX_set_max_proto_version(SSL_CTX *ctx, int version) {
    return SSL_CTX_set_max_proto_version(ctx, version);
}

static inline long apus_SSL_CTX_set_mode(SSL_CTX *ctx, long mode) { return SSL_CTX_set_mode(ctx, mode); }

static inline long apus_SSL_CTX_set_session_cache_mode(SSL_CTX *ctx, long mode) {
    return SSL_CTX_set_session_cache_mode(ctx, mode);
}

static inline long apus_SSL_CTX_get_tlsext_ticket_keys(SSL_CTX *ctx, void *keys, long size) {
    return SSL_CTX_get_tlsext_ticket_keys(ctx, keys, size);
}

static inline long apus_SSL_CTX_set_tlsext_ticket_keys(SSL_CTX *ctx, void *keys, long size) {
    return SSL_CTX_set_tlsext_ticket_keys(ctx, keys, size);
}

static inline long apus_SSL_CTX_add1_chain_cert(SSL_CTX *ctx, X509 *certificate) {
    return SSL_CTX_add1_chain_cert(ctx, certificate);
}

static inline long apus_SSL_CTX_set_tlsext_servername_callback(SSL_CTX *ctx, int (*callback)(SSL *, int *, void *)) {
    return SSL_CTX_set_tlsext_servername_callback(ctx, callback);
}

static inline long apus_SSL_set_tlsext_host_name(SSL *ssl, const char *name) {
    return SSL_set_tlsext_host_name(ssl, name);
}

// Function-like macros behind constants, which Swift does not import either.
static inline uint64_t apus_SSL_options(void) { return SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION; }

static inline unsigned long apus_XN_FLAG_RFC2253(void) { return XN_FLAG_RFC2253; }

// The type-safe stack functions are macros.
static inline int apus_sk_GENERAL_NAME_num(const GENERAL_NAMES *names) { return sk_GENERAL_NAME_num(names); }

static inline GENERAL_NAME *apus_sk_GENERAL_NAME_value(const GENERAL_NAMES *names, int index) {
    return sk_GENERAL_NAME_value(names, index);
}

// A variadic function behind a macro.
static inline EVP_PKEY *apus_EVP_EC_gen(const char *curve) { return EVP_EC_gen(curve); }

// A macro over a function.
static inline void apus_X509V3_set_ctx_nodb(X509V3_CTX *ctx) { X509V3_set_ctx_nodb(ctx); }
