import torch

board = torch.zeros(6, 6, dtype=torch.int64)
board[1, 2] = board[2, 3] = board[3, 1] = board[3, 2] = board[3, 3] = 1
for generation in range(4):
    neighbours = sum(
        torch.roll(board, (dx, dy), (0, 1)) for dx in (-1, 0, 1) for dy in (-1, 0, 1) if (dx, dy) != (0, 0)
    )
    board = ((neighbours == 3) | ((board == 1) & (neighbours == 2))).long()
for row in board:
    print("".join("#" if cell else "." for cell in row))
print(board.sum().item())
