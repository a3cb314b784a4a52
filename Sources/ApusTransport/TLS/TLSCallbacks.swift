// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// What OpenSSL calls, each as a function that finds the connection's engine.
enum TLSCallbacks {
    static func install(on context: OpaquePointer) { SSL_CTX_set_msg_callback(context, tlsMessage) }

    static func installServer(on context: OpaquePointer) {
        SSL_CTX_set_alpn_select_cb(context, tlsSelectProtocol, nil)
        _ = apus_SSL_CTX_set_tlsext_servername_callback(context, tlsServerName)
    }

    static func keepSessions(on context: OpaquePointer) {
        _ = apus_SSL_CTX_set_session_cache_mode(
            context, Int(SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE))
        SSL_CTX_sess_set_new_cb(context, tlsNewSession)
    }

    static func logKeys(on context: OpaquePointer) { SSL_CTX_set_keylog_callback(context, tlsKeyLog) }

    static var verify: SSL_verify_cb { tlsVerify }

    static func attach(_ engine: TLSEngine, to ssl: OpaquePointer) {
        // passUnretained: the engine frees `ssl` before it goes. Index 0 is the application's.
        SSL_set_ex_data(ssl, 0, Unmanaged.passUnretained(engine).toOpaque())
    }
}

private func engine(_ ssl: OpaquePointer?) -> TLSEngine? {
    guard let ssl, let data = SSL_get_ex_data(ssl, 0) else { return nil }
    // Valid: see `attach`.
    return Unmanaged<TLSEngine>.fromOpaque(data).takeUnretainedValue()
}

// SSL_CTX_set_msg_callback(3)
private func tlsMessage(
    _ isWrite: Int32, _: Int32, _ type: Int32, _ bytes: UnsafeRawPointer?, _ count: Int, _ ssl: OpaquePointer?,
    _: UnsafeMutableRawPointer?
) {
    guard isWrite == 0, type == SSL3_RT_HANDSHAKE else { return }
    engine(ssl)?.receivedHandshakeMessage()
}

// SSL_CTX_set_verify(3)
private func tlsVerify(_ isFine: Int32, _ store: OpaquePointer?) -> Int32 {
    guard isFine == 0 else { return 1 }
    let ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx())
    let certificate = X509_STORE_CTX_get_current_cert(store).map { Certificate(sharing: $0) }
    engine(ssl.map { OpaquePointer($0) })?.verificationFailed(
        X509_STORE_CTX_get_error(store), certificate, depth: X509_STORE_CTX_get_error_depth(store))
    return 0
}

// SSL_CTX_set_alpn_select_cb(3)
private func tlsSelectProtocol(
    _: OpaquePointer?, _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
    _ chosenCount: UnsafeMutablePointer<UInt8>?, _ offered: UnsafePointer<UInt8>?, _ count: UInt32,
    _: UnsafeMutableRawPointer?
) -> Int32 {
    let offers = UnsafeBufferPointer(start: offered, count: Int(count))
    var index = 0
    while index < offers.count {
        let end = index + 1 + Int(offers[index])
        guard end <= offers.count else { break }
        if offers[(index + 1)..<end].elementsEqual("h2".utf8) {
            chosen?.pointee = offered.map { $0 + index + 1 }
            chosenCount?.pointee = 2
            return SSL_TLSEXT_ERR_OK
        }
        index = end
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL
}

// SSL_CTX_set_tlsext_servername_callback(3)
private func tlsServerName(
    _ ssl: OpaquePointer?, _: UnsafeMutablePointer<Int32>?, _: UnsafeMutableRawPointer?
) -> Int32 {
    guard let name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) else { return SSL_TLSEXT_ERR_NOACK }
    if let other = engine(ssl)?.context.alternative(for: name) { SSL_set_SSL_CTX(ssl, other.handle) }
    return SSL_TLSEXT_ERR_OK
}

// SSL_CTX_sess_set_new_cb(3)
private func tlsNewSession(_ ssl: OpaquePointer?, _ session: OpaquePointer?) -> Int32 {
    guard let session, let engine = engine(ssl) else { return 0 }
    engine.receivedSession(TLSSession(adopting: session))
    // The reference is ours now.
    return 1
}

// SSL_CTX_set_keylog_callback(3)
private func tlsKeyLog(_ ssl: OpaquePointer?, _ line: UnsafePointer<CChar>?) {
    guard let line else { return }
    engine(ssl)?.context.keyLog?.append(String(cString: line))
}
