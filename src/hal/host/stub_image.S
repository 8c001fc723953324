/* The stub's ELF file as bytes of this program. */
	.section .rodata
	.globl host_stub_image, host_stub_image_end
	.balign 16
host_stub_image:
	.incbin "src/hal/host/stub.elf"
host_stub_image_end:
	.section .note.GNU-stack, "", @progbits
