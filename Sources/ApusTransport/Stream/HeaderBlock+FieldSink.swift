// SPDX-License-Identifier: Apache-2.0

import ApusHTTP2
import ApusWire

extension HeaderBlock: FieldSink {}
