// SPDX-License-Identifier: Apache-2.0

import ApusCore
import COpenSSL

/// One `X509`. Sendable: never changed once it is here, and OpenSSL counts references atomically.
final class Certificate: @unchecked Sendable {
    let handle: OpaquePointer

    /// Takes over the reference that the caller has.
    init(adopting handle: OpaquePointer) { self.handle = handle }

    /// Shares what somebody else holds.
    convenience init(sharing handle: OpaquePointer) {
        X509_up_ref(handle)
        self.init(adopting: handle)
    }

    deinit { X509_free(handle) }

    /// The distinguished name in the order of RFC 2253.
    var subject: String { Self.text(X509_get_subject_name(handle)) }

    /// The name of who signed it.
    var issuer: String { Self.text(X509_get_issuer_name(handle)) }

    /// The subject's last common name.
    var commonName: String? {
        let name = X509_get_subject_name(handle)
        var index: Int32 = -1
        var entry: OpaquePointer?
        while true {
            index = X509_NAME_get_index_by_NID(name, NID_commonName, index)
            guard index >= 0 else { break }
            entry = X509_NAME_get_entry(name, index)
        }
        guard let entry else { return nil }
        var utf8: UnsafeMutablePointer<UInt8>?
        let count = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(entry))
        defer { CRYPTO_free(utf8, "", 0) }
        guard count >= 0 else { return nil }
        return String(decoding: UnsafeBufferPointer(start: utf8, count: Int(count)), as: UTF8.self)
    }

    /// SHA-256 in hexadecimal digits.
    var fingerprint: String {
        var digest = [UInt8](repeating: 0, count: 32)
        var count = UInt32(digest.count)
        guard X509_digest(handle, EVP_sha256(), &digest, &count) == 1 else { return "" }
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// The certificate in DER; empty when OpenSSL cannot write it.
    var der: [UInt8] {
        var bytes: UnsafeMutablePointer<UInt8>?
        let count = i2d_X509(handle, &bytes)
        defer { CRYPTO_free(bytes, "", 0) }
        guard count > 0, let bytes else { return [] }
        return Array(UnsafeBufferPointer(start: bytes, count: Int(count)))
    }

    /// Whether the certificate is for this DNS name. Source: X509_check_host(3); the common name counts no more.
    func covers(_ name: UnsafePointer<CChar>) -> Bool {
        let flags = UInt32(X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS)
        return X509_check_host(handle, name, 0, flags, nil) == 1
    }

    /// Who a verified peer is.
    var identity: PeerIdentity {
        PeerIdentity(subject: subject, commonName: commonName, names: names, fingerprint: fingerprint)
    }

    /// Seconds from now until the certificate is no longer valid, negative when that was in the past.
    var secondsUntilExpiry: Int { Self.seconds(until: X509_get0_notAfter(handle)) }

    /// Seconds from now until the certificate becomes valid, negative when that was in the past.
    var secondsUntilValid: Int { Self.seconds(until: X509_get0_notBefore(handle)) }

    private static func seconds(until time: UnsafePointer<ASN1_TIME>?) -> Int {
        var days: Int32 = 0
        var seconds: Int32 = 0
        guard ASN1_TIME_diff(&days, &seconds, nil, time) == 1 else { return 0 }
        return Int(days) * 86_400 + Int(seconds)
    }

    private static func text(_ name: OpaquePointer?) -> String {
        guard let name, let buffer = BIO_new(BIO_s_mem()) else { return "" }
        defer { BIO_free(buffer) }
        // RFC 2253, but with UTF-8 as it is; control characters stay escaped.
        let flags = apus_XN_FLAG_RFC2253() & ~UInt(ASN1_STRFLGS_ESC_MSB)
        guard X509_NAME_print_ex(buffer, name, 0, flags) >= 0 else { return "" }
        var bytes = [UInt8](repeating: 0, count: BIO_ctrl_pending(buffer))
        let count = BIO_read(buffer, &bytes, Int32(clamping: bytes.count))
        return String(decoding: bytes.prefix(Int(max(0, count))), as: UTF8.self)
    }
}

extension Certificate {
    /// The subject alternative names.
    var names: PeerIdentity.Names {
        var names = PeerIdentity.Names()
        guard let list = X509_get_ext_d2i(handle, NID_subject_alt_name, nil, nil) else { return names }
        let stack = OpaquePointer(list)
        defer { GENERAL_NAMES_free(stack) }
        for index in 0..<apus_sk_GENERAL_NAME_num(stack) {
            guard let name = apus_sk_GENERAL_NAME_value(stack, index) else { continue }
            switch name.pointee.type {
            case GEN_DNS: names.dns.append(Self.string(name.pointee.d.dNSName))
            case GEN_URI: names.uri.append(Self.string(name.pointee.d.uniformResourceIdentifier))
            case GEN_EMAIL: names.email.append(Self.string(name.pointee.d.rfc822Name))
            case GEN_IPADD: names.ip.append(Self.address(Self.bytes(name.pointee.d.iPAddress)))
            default: break
            }
        }
        return names
    }

    private static func bytes(_ value: UnsafeMutablePointer<ASN1_STRING>?) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: ASN1_STRING_get0_data(value), count: Int(max(0, ASN1_STRING_length(value))))
    }

    private static func string(_ value: UnsafeMutablePointer<ASN1_STRING>?) -> String {
        String(decoding: bytes(value), as: UTF8.self)
    }

    private static func address(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
        SocketAddress(ip: Array(bytes))?.host ?? "an address of \(bytes.count) bytes"
    }
}
