// SPDX-License-Identifier: Apache-2.0

/// An optional value kept on the heap, so that a message may contain messages of its own type.
@propertyWrapper
public struct Indirect<Value: Sendable & Hashable>: Sendable, Hashable {
    @usableFromInline
    enum Storage: Sendable, Hashable {
        case none
        indirect case some(Value)
    }

    @usableFromInline var storage: Storage

    /// A place for the value.
    @inlinable
    public init(wrappedValue: Value?) {
        storage = wrappedValue.map { .some($0) } ?? .none
    }

    /// The value.
    @inlinable
    public var wrappedValue: Value? {
        get {
            switch storage {
            case .none: nil
            case .some(let value): value
            }
        }
        set { self = Indirect(wrappedValue: newValue) }
    }
}
