// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusHTTP2
import ApusWire

/// The fields that the calls of a connection have in common, made once for each of their methods. A connection keeps
/// them until its end.
struct RequestTemplates {
    /// The most that are kept: names of methods may come from outside.
    static let limit = 64

    private var templates: [RequestTemplate] = []
    private var last = 0

    /// What a call's fields are made of; nil when there is no room for one more.
    mutating func template(
        of method: MethodDescriptor, to target: String, _ compressor: Int?, make: () -> RequestTemplate
    ) -> RequestTemplate? {
        if last < templates.count, templates[last].fits(method, target, compressor) { return templates[last] }
        for index in templates.indices where templates[index].fits(method, target, compressor) {
            last = index
            return templates[index]
        }
        guard templates.count < Self.limit else { return nil }
        let template = make()
        last = templates.count
        templates.append(template)
        return template
    }
}

/// The fields of a method's calls on a connection. Confined to its loop.
final class RequestTemplate {
    private let method: MethodDescriptor
    private let target: String
    private let compressor: Int?
    // In front of the timeout, and behind it.
    private let first: PreparedFields
    private let others: PreparedFields
    // Unchecked: no access lasts while something else is called.
    @exclusivity(unchecked) private var timeout = TimeoutText()
    @exclusivity(unchecked) private var hasTimeout = false
    // Of a call like the one before.
    @exclusivity(unchecked) private var whole: PreparedFields?

    init(
        _ method: MethodDescriptor, to target: String, _ compressor: Int?, first: HeaderBlock, others: HeaderBlock
    ) {
        self.method = method
        self.target = target
        self.compressor = compressor
        self.first = PreparedFields(first)
        self.others = PreparedFields(others)
    }

    func fits(_ method: MethodDescriptor, _ target: String, _ compressor: Int?) -> Bool {
        self.method == method && self.target == target && self.compressor == compressor
    }

    /// All fields but metadata, of a call that has as much time as the one before; nil for another, whose time stays
    /// out of the peer's table.
    ///
    /// - Parameter left: the nanoseconds until the call's deadline; nil when it has none.
    func fields(left: Int64?) -> PreparedFields? {
        guard isRepeated(left) else { return nil }
        if let whole { return whole }
        var block = HeaderBlock()
        write(to: &block) { block in if hasTimeout { block.add(RequestFields.timeoutName, timeout.bytes) } }
        let fields = PreparedFields(block)
        whole = fields
        return fields
    }

    /// Adds all fields but metadata, of the call that there were none for.
    func writeOnce(to block: inout HeaderBlock) {
        write(to: &block) { block in if hasTimeout { block.add(unique: RequestFields.timeoutName, timeout.bytes) } }
    }

    private func isRepeated(_ left: Int64?) -> Bool {
        let had = hasTimeout
        hasTimeout = left != nil
        guard let left else {
            if had { whole = nil }
            return true
        }
        if timeout.become(nanoseconds: left), had { return true }
        whole = nil
        return false
    }

    private func write(to block: inout HeaderBlock, timeout: (inout HeaderBlock) -> Void) {
        block.add(first)
        timeout(&block)
        block.add(others)
    }
}
