# Tests of the HAL contract, against the contract alone.
